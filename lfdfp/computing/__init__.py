"""How work is spread over rows, threads, parts and devices; knows no imaging."""
