"""Writes what a server keeps to files: points alone, or all of it as tables.

whole       files and folders that are there whole or not at all
parquet     the one way in which Parquet is written; alone imports pyarrow
points      points as CSV, .npz and Parquet
tables      the tables of a whole export, and the rows that messages make in them
exporter    the order of a whole export
"""
