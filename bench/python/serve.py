"""How a measured process is spoken to: one JSON object a line on standard input, one on standard output for each.

{"op": NAME, other fields} calls the operation of that name with the fields and answers with what it gives, or with
{"error": ...} where it raises; {"op": "exit"} ends the process.
"""

import json
import sys


def serve(lines=sys.stdin, **operations):
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever a library prints must not break the protocol
    for line in lines:
        request = json.loads(line)
        operation = request.pop("op")
        if operation == "exit":
            return
        try:
            answer = operations[operation](**request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)
