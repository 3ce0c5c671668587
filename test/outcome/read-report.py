"""Reads mails (a JSON list of base64) from stdin and tells what Python's email package makes of them, as JSON."""
import base64
import email
import email.policy
import json
import sys

FIELDS = ("original-envelope-id", "reporting-mta", "arrival-date", "original-recipient", "final-recipient", "action",
          "status", "remote-mta", "diagnostic-code", "last-attempt-date", "will-retry-until")


def fields(block):
    return {name: str(block[name]) for name in FIELDS if block[name] is not None}


def part(one):
    told = {"type": one.get_content_type(), "encoding": one.get("content-transfer-encoding")}
    if one.get_content_type() == "message/delivery-status":
        told["blocks"] = [fields(block) for block in one.get_payload()]
    elif one.get_content_type() == "message/rfc822":
        told["subject"] = str(one.get_payload(0)["subject"])
        told["text"] = one.get_payload(0).get_payload()
    elif one.get_content_maintype() == "text":
        told["text"] = one.get_payload(decode=True).decode(one.get_content_charset() or "utf-8", "replace")
    else:
        told["raw"] = one.as_bytes().decode("utf-8", "replace")
    return told


def read(text):
    mail = email.message_from_bytes(base64.b64decode(text), policy=email.policy.SMTP)
    mine = mail.get_payload() if mail.is_multipart() else []
    return {
        "headers": {name.lower(): str(value) for name, value in mail.items()},
        "type": mail.get_content_type(),
        "reportType": mail.get_param("report-type"),
        "defects": [str(defect) for one in mail.walk() for defect in one.defects]
        + [str(defect) for value in mail.values() for defect in getattr(value, "defects", ())],
        "parts": [part(one) for one in mine],
    }


json.dump([read(text) for text in json.load(sys.stdin)], sys.stdout)
