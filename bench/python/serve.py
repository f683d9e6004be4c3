"""The protocol of measured processes: one JSON object per line on standard input, and one on standard output in response.

{"op": NAME, other fields} calls the operation of that name with the fields and responds with its result, or with
{"error": ...} if it raises; {"op": "exit"} ends the process.
"""

import json
import sys


def serve(lines=sys.stdin, **operations):
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries must not write to the protocol's stream
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
