"""What grading leaves behind: results.json, marks.csv, feedback pages and the table.

Exporters only read results; none of them decides a mark. Everything a student could have
written (ids, file names, exception text) is treated as hostile by each of them.
"""
