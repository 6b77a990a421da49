"""Tables of scores that were published, and how they are to be read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ScorePreset:
    """What the options of ``import scores`` are for one table; ``columns`` are rules as text."""

    match: str
    name: str
    columns: tuple[str, ...]
    task: str
    base: str
    primary: str
    about: str


SCORE_PRESETS = {
    "feather": ScorePreset(
        match=r"Run (\d+)",
        # What the checkpoints are called on the Hugging Face hub, below connectivity/.
        name="feather_berts_{}",
        columns=(
            r"MNLI dev acc\.=validation",
            r"Overall accuracy=hans",
            r"Lexical \(entailed\)=hans:lexical_overlap-entailment",
            r"Lexical \(nonent\)=hans:lexical_overlap-non-entailment",
            r"Subseq \(entailed\)=hans:subsequence-entailment",
            r"Subseq \(nonent\)=hans:subsequence-non-entailment",
            r"Constituent \(entailed\)=hans:constituent-entailment",
            r"Constituent \(nonent\)=hans:constituent-non-entailment",
            r"([lsc][en]_.+)=hans:{}",
        ),
        task="mnli",
        base="google-bert/bert-base-uncased",
        primary="hans:lexical_overlap-non-entailment:accuracy",
        about="berts_of_a_feather_accuracies_by_run.csv of github.com/tommccoy1/hans "
        "(McCoy, Min and Linzen 2020)",
    )
}
