"""DuckDB reads a CSV file and writes it as Parquet, with two threads: prints seconds and rows.

    python duckdb_csv.py FILE.csv FOLDER

The copy in FOLDER is removed again.
"""

import sys
import time
from pathlib import Path

import duckdb


def main(file, folder):
    out = Path(folder, "csv.parquet")
    connection = duckdb.connect()
    connection.execute("set threads = 2")
    start = time.perf_counter()
    connection.execute(
        f"copy (select * from read_csv('{file}', header = true)) to '{out}' (format parquet)"
    )
    seconds = time.perf_counter() - start
    (rows,) = connection.execute(f"select count(*) from '{out}'").fetchone()
    out.unlink()
    print(f"{seconds:.1f} {rows}")


if __name__ == "__main__":
    main(*sys.argv[1:])
