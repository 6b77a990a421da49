"""The command line: parse, call the library, render. The only room that knows Click."""
