"""What a process prints while a run is under way: heard at its streams, and kept as text in numbered parts.

taps        hear what is written to a stream; what comes out of it is as ever
screen      what a terminal would show of it in the end: a progress bar is one line
transcript  the lines of one part, each with its time and stream
"""
