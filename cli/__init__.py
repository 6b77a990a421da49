"""The command line: parses, calls the library, renders. One module a command."""
