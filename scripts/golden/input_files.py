"""Writes the files of crates/cli/tests/it/inputs/files: types, names and encodings that polars does not write.

Run with pyarrow 20 or later: python scripts/golden/input_files.py
"""

import datetime
import pathlib

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

OUT = pathlib.Path(__file__).resolve().parents[2] / "crates/cli/tests/it/inputs/files"
ROWS = 40


def write(name, columns, names=None, **options):
    labels = pa.array(["yes" if row * 7 % 5 < 2 else "no" for row in range(ROWS)])
    x = pa.array([float(row % 9) for row in range(ROWS)])
    table = pa.table([x, *columns.values(), labels], names=names or ["x", *columns, "y"])
    pq.write_table(table, OUT / f"{name}.parquet", compression="zstd", store_schema=False, **options)


def many_types():
    """Every type and every kind of level, with nulls: what bytes are flipped in."""
    rows = range(200)
    a = [(row * 7919 % 997) / 31 for row in rows]
    columns = {
        "a": pa.array(a, pa.float32()),
        "b": pa.array(a, pa.float64()),
        "c": pa.array([None if row % 7 == 0 else row * 31 % 50 for row in rows]),
        "k": pa.array([["red", "green", "blue", None][row * row % 4] for row in rows]),
        "s": pa.array([f"t{row * 37 % 90}" for row in rows]),
        "f": pa.array([row % 3 == 0 for row in rows]),
        "y": pa.array(["yes" if row * 7 % 5 < 2 else "no" for row in rows]),
    }
    table = pa.table(columns)
    pq.write_table(table, OUT / "many_types_v2.parquet", row_group_size=70, compression="zstd", data_page_version="2.0")
    encodings = {"c": "DELTA_BINARY_PACKED", "s": "DELTA_BYTE_ARRAY", "b": "BYTE_STREAM_SPLIT"}
    pq.write_table(
        table,
        OUT / "many_types_delta.parquet",
        row_group_size=70,
        compression="gzip",
        use_dictionary=False,
        column_encoding=encodings,
    )
    feather.write_feather(table, OUT / "many_types.arrow", compression="zstd", chunksize=70)


def main():
    OUT.mkdir(exist_ok=True)
    many_types()
    times = [datetime.datetime(2013, 1, 1) + datetime.timedelta(hours=row) for row in range(ROWS)]
    write("int96", {"when": pa.array(times)}, use_deprecated_int96_timestamps=True)
    write("float16", {"half": pa.array([row % 9 for row in range(ROWS)], pa.float16())})
    pairs = [[("a", row)] for row in range(ROWS)]
    write("map", {"pairs": pa.array(pairs, pa.map_(pa.string(), pa.int64()))})
    write("repeated_names", {"z": pa.array(range(ROWS))}, names=["x", "x", "y"])
    write("fixed_bytes", {"key": pa.array([b"0123456789abcdef"] * ROWS, pa.binary(16))})
    write("zoned", {"when": pa.array(times, pa.timestamp("us", tz="America/New_York"))})


if __name__ == "__main__":
    main()
