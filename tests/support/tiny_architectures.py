"""Tiny configurations of the architectures that transformers has text classifiers of."""

from __future__ import annotations

from typing import Any

# What the architectures call their sizes; each takes those that it knows.
_SIZES: dict[str, Any] = {
    "hidden_size": 16, "d_model": 16, "n_embd": 16, "dim": 16, "emb_dim": 16, "embedding_size": 16,
    "num_hidden_layers": 2, "num_layers": 2, "n_layers": 2, "n_layer": 2, "encoder_layers": 2,
    "decoder_layers": 2, "num_decoder_layers": 2, "num_attention_heads": 2, "n_heads": 2,
    "n_head": 2, "num_heads": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "num_key_value_heads": 2, "head_dim": 8, "d_head": 8, "d_kv": 8, "intermediate_size": 32,
    "hidden_dim": 32, "d_ff": 32, "ffn_dim": 32, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32,
    "d_inner": 32, "n_inner": 32, "ffn_hidden_size": 32, "max_position_embeddings": 64,
    "n_positions": 64, "n_ctx": 64, "max_seq_len": 64, "num_experts": 4, "num_local_experts": 4,
    "num_experts_per_tok": 2, "moe_intermediate_size": 32, "initializer_range": 0.5,
    "init_std": 0.5, "decoder_start_token_id": 0,
}  # fmt: skip

# Tried with these sizes; a text's logits do not depend on the batch.
READ = (
    "albert", "arcee", "bart", "bert", "big_bird", "bigbird_pegasus", "biogpt", "bloom",
    "camembert", "data2vec-text", "deberta", "deberta-v2", "diffllama", "distilbert", "doge",
    "electra", "ernie", "esm", "eurobert", "exaone4", "falcon", "flaubert", "gemma", "gemma2",
    "gemma3_text", "glm", "glm4", "gpt2", "gpt_bigcode", "gpt_neox", "gte", "helium", "ibert",
    "jetmoe", "layoutlm", "llama", "longformer", "mbart", "megatron-bert", "ministral", "mistral",
    "mixtral", "mobilebert", "modernbert", "modernbert-decoder", "mpnet", "mpt", "mra", "mt5",
    "mvp", "nemotron", "nomic_bert", "olmo", "olmo2", "openai-gpt", "opt", "persimmon", "phi",
    "phi3", "phimoe", "plbart", "qwen2", "qwen3", "rembert", "roberta", "roberta-prelayernorm",
    "roformer", "smollm3", "squeezebert", "stablelm", "starcoder2", "tapas", "umt5", "xlm",
    "xlm-roberta", "xlm-roberta-xl", "xlnet",
)  # fmt: skip
# Their layers read what a text is padded to.
REFUSED = ("canine", "convbert", "fnet", "funnel", "nystromformer", "yoso")


def tiny_config(name: str, vocabulary: int, **settings: Any) -> Any:
    """A configuration of the architecture ``name`` with two layers, 16 wide."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    kind = CONFIG_MAPPING[name]
    known = kind().to_dict().keys() | getattr(kind, "attribute_map", {}).keys()
    wanted = {**_SIZES, "vocab_size": vocabulary, "eos_token_id": 3, "bos_token_id": 2, **settings}
    return kind(**{key: value for key, value in wanted.items() if key in known})
