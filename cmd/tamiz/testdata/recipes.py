"""Runs recipes as somebody would who pastes them: blocks of SQL in one DuckDB
session, blocks of Python each alone. Standard input: JSON, a list of objects
with language and text. Standard output: JSON, for each block the rows of its
last statement, or what it printed."""
import contextlib
import io
import json
import os
import sys
import tempfile

import duckdb
import duckdb_extension_httpfs

# What a user's "install httpfs" fetches lies here already.
place = tempfile.mkdtemp()
extension = os.path.join(os.path.dirname(duckdb_extension_httpfs.__file__), "extensions", "v" + duckdb.__version__, "httpfs.duckdb_extension")
duckdb.sql(f"set extension_directory = '{place}'")
duckdb.execute(f"install '{extension}'")

session = duckdb.connect(config={"extension_directory": place})
answers = []
for block in json.load(sys.stdin):
    if block["language"] == "sql":
        rows = []
        for statement in session.extract_statements(block["text"]):
            rows = session.execute(statement).fetchall()
        answers.append([["" if cell is None else str(cell) for cell in row] for row in rows])
        continue
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block["text"], "recipe", "exec"), {})
    answers.append(printed.getvalue())
json.dump(answers, sys.stdout)
