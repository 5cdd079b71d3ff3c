"""The only code of ours inside the sandbox: wire, session, loader, confine, worker.

Three more run notebooks again, for a report: notebook, outputs and pictures.

Nothing here knows an answer, a check or a tolerance, and nothing here imports from outside this
folder. The judge uses `wire` and `session` too: one code reads frames and runs requests on both
sides, so the reference is asked in exactly the way the student's code is.
"""
