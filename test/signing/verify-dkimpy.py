"""Verifies every signature of *.eml in a folder with dkimpy; keys come from keys.json (owner name -> TXT).

Prints one line per signature: <file> <tab> <algorithm> <tab> pass|fail.
"""
import json
import pathlib
import sys

import dkim

folder = pathlib.Path(sys.argv[1])
keys = json.loads((folder / "keys.json").read_text())


def published(name, timeout=5):
    return keys[name.decode().rstrip(".")].encode()


for path in sorted(folder.glob("*.eml")):
    message = dkim.DKIM(path.read_bytes())
    count = sum(1 for name, _ in message.headers if name.lower() == b"dkim-signature")
    for index in range(count):
        try:
            verdict = "pass" if message.verify(idx=index, dnsfunc=published) else "fail"
        except Exception as error:
            verdict = "fail " + repr(error)
        algorithm = message.signature_fields.get(b"a", b"?").decode()
        print(path.name, algorithm, verdict, sep="\t")
