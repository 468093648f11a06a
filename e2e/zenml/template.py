"""Seeded folders to copy from, as seeding a server takes longer than starting one."""

import os
import pathlib
import shutil
import sqlite3


def save(directory, template):
    """Makes `template` of the folder of a running server that was just seeded."""
    draft = pathlib.Path(f"{template}.{os.getpid()}")
    shutil.copytree(directory, draft, ignore=shutil.ignore_patterns("zenml.db*", "*.log"))
    with sqlite3.connect(directory / "zenml.db") as source, sqlite3.connect(draft / "zenml.db") as copy:
        source.backup(copy)
    try:
        draft.rename(template)
    except OSError:  # another server was quicker
        shutil.rmtree(draft)


def use(template, directory):
    """Copies a template into a new folder. Until 0.84 its database has the path of the pipelines' code."""
    shutil.copytree(template, directory, dirs_exist_ok=True)
    with sqlite3.connect(directory / "zenml.db") as database:
        tables = database.execute(
            "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE c.name = 'code_path'"
        ).fetchall()
        for (table,) in tables:
            database.execute(
                f"UPDATE {table} SET code_path = ? || substr(code_path, instr(code_path, '/artifacts/'))"
                " WHERE code_path IS NOT NULL",
                (str(directory),),
            )
