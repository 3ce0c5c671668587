"""Evaluates SPF with pyspf (Debian's python3-spf) through one name server: JSON in, JSON out.

Input: {"port": 5353, "cases": [["192.0.2.1", "postmaster@ours.example"], ...]}; output: ["pass", "softfail", ...].
"""
import functools
import json
import sys

import dns.name
import dns.resolver
import spf

given = json.load(sys.stdin)
resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers = ["127.0.0.1"]
resolver.port = given["port"]
resolver.domain = dns.name.root
dns.resolver.default_resolver = resolver
# The zone stands still meanwhile, so each question is asked once, as by a resolver that caches.
ask = functools.lru_cache(maxsize=None)(spf.DNSLookup)
spf.DNSLookup = lambda name, qtype, *rest, **options: ask(name, qtype)

results = [spf.check2(i=ip, s=sender, h="relay.example")[0] for ip, sender in given["cases"]]
json.dump(results, sys.stdout)
