"""Submits a message with Python's smtplib; what to send comes as JSON on the command line, the message on stdin."""
import json
import smtplib
import ssl
import sys

wish = json.loads(sys.argv[1])
context = ssl._create_unverified_context()
if wish["tls"] == "implicit":
    client = smtplib.SMTP_SSL(wish["host"], wish["port"], context=context)
    client.ehlo()
else:
    client = smtplib.SMTP(wish["host"], wish["port"])
    client.starttls(context=context)
    client.ehlo()
client.user, client.password = wish["username"], wish["password"]
client.auth(wish["mechanism"], client.auth_plain if wish["mechanism"] == "PLAIN" else client.auth_login)
refused = client.sendmail(wish["from"], wish["to"], sys.stdin.buffer.read(), mail_options=wish["options"])
client.quit()
if refused:
    sys.exit(repr(refused))
