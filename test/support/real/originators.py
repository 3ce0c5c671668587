"""Who messages are from, for two readers that share no code with us: Python's email, and one that ends lines wherever
Unicode allows. Reads the files of a folder, answers JSON: name -> fields, addresses, careless (From lines), signers."""

import email
import json
import os
import re
import sys
from email.utils import getaddresses


def text(value):
    """Unfolded (RFC 5322 section 2.2.3)."""
    unfolded = re.sub(r"\r\n(?=[ \t])", "", value)
    return unfolded.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def values(message, wanted):
    return [text(value) for name, value in message.raw_items() if name.lower() == wanted]


def careless(raw):
    lines = raw.decode("utf-8", "replace").splitlines()
    header = lines[: lines.index("")] if "" in lines else lines
    return sum(1 for line in header if re.match(r"[\s\ufeff]*from[\s]*:", line, re.I) and not line[0] in " \t")


def read(raw):
    message = email.message_from_bytes(raw)
    signatures = values(message, "dkim-signature")
    return {
        "fields": len(values(message, "from")),
        "from": [address for _, address in getaddresses(values(message, "from"))],
        "sender": [address for _, address in getaddresses(values(message, "sender"))],
        "careless": careless(raw),
        "signers": [re.search(r"\bd=([^;\s]+)", value).group(1) for value in signatures],
        "covered": [len(re.findall(r"(?<![\w-])from(?![\w-])", value.lower())) for value in signatures],
    }


folder = sys.argv[1]
files = sorted(os.listdir(folder))
print(json.dumps({name: read(open(os.path.join(folder, name), "rb").read()) for name in files}))
