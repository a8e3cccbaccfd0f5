#!/usr/bin/env python3
"""A small S3 server for tests: strict about signatures, checksums and conditions, and able to fail
in every way that a real one can.

    server.py [--port-file FILE] [--key ID:SECRET] [--bucket NAME]... [--set JSON]
              [--tls CERTIFICATE KEY]

Listens on a free port of loopback, writes "http://127.0.0.1:PORT" as a line to standard output (and
to FILE), keeps all data in memory, and ends when its standard input does. With --tls, of two PEM
files, it is "https://127.0.0.1:PORT".

Commands are JSON objects, one a line, on standard input, or the body of a POST to /-/control; each
is answered by one line of JSON. What they hold (any of it):

    "fault": {"op": "PutObject", "kind": "lost", "count": 1, "skip": 0, "after": 0}
              The next `count` requests of that operation ("*": of any) fail, after `skip` good
              ones. For the kinds see `Handler.fail_before` and `Handler.answer`.
    "random": {"rate": 0.3, "seed": 1, "kinds": [...]}  each request fails with that probability
    "set":    {"crc32c": false, ...}  see SETTINGS
    "keys":   {"ID": "SECRET"}  further keys
    "allow":  {"ID": ["s3:PutObject", ...]}  the rights of a key; all others keep all rights
    "reset":  true  forgets faults, rights, settings and the log; data stays
    "clear":  true  empties all buckets
    "log":    true  the answer holds the number of requests by operation, and the bytes of bodies
    "state":  true  the answer holds the keys and the uploads of each bucket
    "uploads": true  the answer holds the number of uploads that have not ended
    "last":   OP    the answer holds the headers of the last request of an operation

The same server stands in for the services that hand out keys: the token service at /-/sts, the
container's endpoint at /-/container and EC2's metadata service at /-/imds.
"""
import argparse
import base64
import datetime
import hashlib
import http.server
import json
import os
import random
import re
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse
import xml.etree.ElementTree
from xml.sax.saxutils import escape

import bucket as storage
import sigv4
from sigv4 import Refused

SETTINGS = {
    "crc32c": True,  # knows x-amz-checksum-crc32c
    "conditional": True,  # knows If-None-Match; else answers 501
    "delete_many": True,  # knows DeleteObjects; else answers 501
    "key_errors": {},  # keys that DeleteObjects does not delete, with the code that it tells
    "told_key": None,  # and the key that it tells, if not theirs
    "encryption": "aws",  # which answers tell it: "aws", "minio"; "ignored": it is not done
    "date": None,  # what the answers tell as Date and Last-Modified; None: the time
    "page": 1000,  # entries of a list
    "answers": {},  # bodies of 200 that operations have, in place of what they would do
    "forgetful": False,  # each page of a list is the first one, and says that there are more
    "part_min": 5 << 20,  # bytes of each part but the last
    "region": "us-east-1",  # in which every bucket lies
    "skew": 0,  # seconds by which the server's clock is ahead
    "lifetime": 3600,  # seconds that keys of the stand-ins are good for, from `now`
    "now": None,  # seconds since the epoch that the stand-ins count from; None: the clock
    "expired_tokens": [],  # session tokens that are answered with ExpiredToken
    "container_token": None,  # what the container's endpoint wants as Authorization
    "stall_seconds": 60,
    "delay": 0,  # seconds that a GET of an object takes
    "retry_after": None,
}
RIGHTS = {
    "PutObject": "s3:PutObject", "CopyObject": "s3:PutObject", "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject", "DeleteObject": "s3:DeleteObject",
    "DeleteObjects": "s3:DeleteObject", "ListObjectsV2": "s3:ListBucket",
    "CreateMultipartUpload": "s3:PutObject", "UploadPart": "s3:PutObject",
    "UploadPartCopy": "s3:PutObject", "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "ListParts": "s3:ListMultipartUploadParts", "CreateBucket": "s3:CreateBucket",
    "HeadBucket": "s3:ListBucket",
}
RANDOM_KINDS = ["refuse", "reset", "500", "slow-down", "reset-body", "truncate", "lost",
                "wrong-checksum", "error-200"]
ERRORS = {
    "500": (500, "InternalError", "We encountered an internal error. Please try again."),
    "502": (502, "BadGateway", "bad gateway"),
    "503": (503, "ServiceUnavailable", "Reduce your request rate."),
    "504": (504, "GatewayTimeout", "gateway timeout"),
    "429": (429, "TooManyRequests", "too many requests"),
    "408": (408, "RequestTimeout", "Your socket connection was not read from in time."),
    "slow-down": (503, "SlowDown", "Please reduce your request rate."),
    "request-timeout": (400, "RequestTimeout", "Your socket connection was not read from in time."),
    "403": (403, "AccessDenied", "Access Denied"),
    "404-bucket": (404, "NoSuchBucket", "The specified bucket does not exist"),
    "409": (409, "ConditionalRequestConflict", "a conflicting operation is going on"),
}
NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


class World:
    """All that the requests share."""

    def __init__(self, key_id, secret):
        self.lock = threading.Lock()
        self.root_keys = {key_id: (secret, None)}
        self.buckets = {}
        self.temporary = {}
        self.reset()

    def reset(self):
        with self.lock:
            self.settings = json.loads(json.dumps(SETTINGS))
            self.faults, self.random, self.allow = [], None, {}
            self.log, self.last, self.received, self.sent = {}, {}, 0, 0
            self.under_way, self.most = 0, 0

    def begin(self, op):
        """Counts the GETs of objects that are under way at once."""
        if op == "GetObject":
            with self.lock:
                self.under_way += 1
                self.most = max(self.most, self.under_way)
            time.sleep(self.settings["delay"])

    def end(self, op):
        if op == "GetObject":
            with self.lock:
                self.under_way -= 1

    def command_most(self, _):
        return {"most": self.most}

    def secret_of(self, key_id):
        return self.root_keys.get(key_id) or self.temporary.get(key_id)

    def new_keys(self):
        """A fresh pair, with its session token and the time that it ends."""
        with self.lock:
            number = len(self.temporary) + 1
            key_id, secret, token = f"TEMP{number}", f"secret+of/{number}", f"token+of/{number}=="
            self.temporary[key_id] = (secret, token)
            now = self.settings["now"] if self.settings["now"] is not None else time.time()
            end = datetime.datetime.utcfromtimestamp(now + self.settings["lifetime"])
        return key_id, secret, token, end.strftime("%Y-%m-%dT%H:%M:%SZ")

    def next_fault(self, op):
        with self.lock:
            self.log[op] = self.log.get(op, 0) + 1
            for fault in self.faults:
                if fault["op"] not in ("*", op) or fault["count"] == 0:
                    continue
                if fault["skip"] > 0:
                    fault["skip"] -= 1
                    continue
                fault["count"] -= 1
                return fault["kind"]
            if self.random is not None and self.random["dice"].random() < self.random["rate"]:
                return self.random["dice"].choice(self.random["kinds"])
        return None

    def control(self, text):
        answer = {"ok": True}
        try:
            command = json.loads(text)
            if command.pop("reset", False):
                self.reset()
            with self.lock:
                for name, value in command.items():
                    answer.update(getattr(self, "command_" + name)(value) or {})
        except Exception as problem:  # told to whoever sent it
            answer = {"ok": False, "problem": repr(problem)}
        return json.dumps(answer)

    def command_fault(self, fault):
        if fault["op"] != "*" and fault["op"] not in RIGHTS and "-" not in fault["op"]:
            raise ValueError(f"no operation {fault['op']}")
        self.faults.append({"count": 1, "skip": 0, **fault})

    def command_random(self, value):
        self.random = value and {"rate": value["rate"], "dice": random.Random(value["seed"]),
                                 "kinds": value.get("kinds", RANDOM_KINDS)}

    def command_set(self, values):
        if not set(values) <= set(SETTINGS):
            raise ValueError(f"unknown setting among {list(values)}")
        self.settings.update(values)

    def command_keys(self, keys):
        self.root_keys.update({key_id: (secret, None) for key_id, secret in keys.items()})

    def command_allow(self, rights):
        self.allow.update(rights)

    def command_log(self, _):
        return {"log": self.log, "requests": sum(self.log.values()), "received": self.received,
                "sent": self.sent}

    def command_last(self, op):
        return {"last": self.last.get(op)}

    def command_clear(self, _):
        for name in self.buckets:
            self.buckets[name] = storage.Bucket()

    def command_uploads(self, _):
        return {"uploads": sum(len(b.uploads) for b in self.buckets.values())}

    def command_state(self, _):
        return {"state": {name: {"keys": [k.decode("utf-8", "replace") for k in b.keys],
                                 "uploads": [u.key.decode("utf-8", "replace")
                                             for u in b.uploads.values()]}
                          for name, b in self.buckets.items()}}


def url_encoded(key):
    return urllib.parse.quote_plus(key, safe="/")


def tag(name, value):
    return f"<{name}>{escape(str(value))}</{name}>"


def iso(seconds):
    return datetime.datetime.utcfromtimestamp(seconds).strftime("%Y-%m-%dT%H:%M:%S.") + \
        "%03dZ" % (seconds % 1 * 1000)


def parse_range(text, size):
    """(first, end) of what is asked for; None: all."""
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", text or "")
    if match is None:
        return None
    first, last = int(match[1]), int(match[2] or size - 1)
    if first >= size or last < first:
        raise Refused("InvalidRange", "The requested range is not satisfiable", 416)
    return first, min(last + 1, size)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "TestS3"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 90
    world = None

    def log_message(self, *arguments):
        pass

    def date_time_string(self, timestamp=None):
        if self.world.settings["date"] is not None:
            return self.world.settings["date"]
        if timestamp is None:
            timestamp = time.time() + self.world.settings["skew"]
        return super().date_time_string(timestamp)

    # ---- receiving ----

    def handle_expect_100(self):
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def handle(self):
        try:
            super().handle()
        except (ConnectionError, TimeoutError, ValueError, ssl.SSLError):
            self.close_connection = True

    def do_GET(self):
        self.fault = None
        self.received = False
        self.raw_path, _, self.raw_query = self.path.partition("?")
        self.fields = {}
        for name, value in self.headers.items():
            self.fields.setdefault(name.lower(), []).append(value)
        if self.raw_path.startswith("/-/"):
            return self.do_service()
        self.query = {name.decode(): value.decode("utf-8", "replace")
                      for name, value in sigv4.split_query(self.raw_query)}
        self.find_names()
        self.op = self.operation()
        self.world.last[self.op] = self.fields
        self.fault = self.world.next_fault(self.op)
        self.world.begin(self.op)
        try:
            if not self.fail_before():
                self.answer(*self.perform())
        except Refused as refused:
            self.refuse(refused)
        finally:
            self.world.end(self.op)

    do_PUT = do_POST = do_HEAD = do_DELETE = do_GET

    def field(self, name, default=None):
        return self.fields.get(name, [default])[0]

    def find_names(self):
        path = urllib.parse.unquote_to_bytes(self.raw_path)[1:]
        host = self.field("host", "").rsplit(":", 1)[0]
        if host.endswith(".localhost"):
            self.bucket_name, self.key = host[:-len(".localhost")], path
        else:
            name, _, self.key = path.partition(b"/")
            self.bucket_name = name.decode("utf-8", "replace")

    def operation(self):
        method, query = self.command, self.query
        if self.key == b"":
            if method == "PUT":
                return "CreateBucket"
            if method == "POST" and "delete" in query:
                return "DeleteObjects"
            if method == "HEAD":
                return "HeadBucket"
            return "ListMultipartUploads" if "uploads" in query else "ListObjectsV2"
        copy = "x-amz-copy-source" in self.fields
        if method == "PUT" and "partNumber" in query:
            return "UploadPartCopy" if copy else "UploadPart"
        if method == "PUT":
            return "CopyObject" if copy else "PutObject"
        if method == "POST":
            return "CreateMultipartUpload" if "uploads" in query else "CompleteMultipartUpload"
        if method == "DELETE":
            return "AbortMultipartUpload" if "uploadId" in query else "DeleteObject"
        if method == "GET" and "uploadId" in query:
            return "ListParts"
        return "HeadObject" if method == "HEAD" else "GetObject"

    def read_body(self):
        size = int(self.field("content-length", "0"))
        body = self.rfile.read(size)
        if len(body) < size:
            raise ConnectionError("the client broke off")
        self.received = True
        with self.world.lock:
            self.world.received += size
        if self.fault == "wrong-checksum" and size > 0:
            body = bytes([body[0] ^ 1]) + body[1:]
        return body

    # ---- judging ----

    def authenticate(self):
        settings = self.world.settings
        now = datetime.datetime.utcfromtimestamp(time.time() + settings["skew"])
        key_id, region = sigv4.verify(self.command, self.raw_path, self.raw_query, self.fields,
                                      self.world.secret_of, now)
        if self.field("x-amz-security-token") in settings["expired_tokens"]:
            raise Refused("ExpiredToken", "The provided token has expired.", 400)
        if region != settings["region"]:
            raise Refused("PermanentRedirect", "The bucket must be addressed elsewhere.", 301)
        return key_id

    def may(self, key_id, right):
        allowed = self.world.allow.get(key_id)
        return allowed is None or right in allowed

    def check_body(self, body):
        wanted = self.field("x-amz-content-sha256")
        if wanted != "UNSIGNED-PAYLOAD" and wanted != hashlib.sha256(body).hexdigest():
            raise Refused("XAmzContentSHA256Mismatch",
                          "The provided 'x-amz-content-sha256' header does not match.", 400)
        md5 = self.field("content-md5")
        if md5 and md5 != base64.b64encode(hashlib.md5(body).digest()).decode():
            raise Refused("BadDigest", "The Content-MD5 did not match what we received.", 400)
        crc = self.field("x-amz-checksum-crc32c")
        if self.world.settings["crc32c"] and crc and crc != storage.crc32c(body):
            raise Refused("BadDigest", "The CRC32C did not match what we received.", 400)
        if self.op == "DeleteObjects" and not md5 and not crc:
            raise Refused("InvalidRequest", "Missing required header: Content-MD5", 400)

    def wants_absence(self):
        condition = self.field("if-none-match")
        if condition is None:
            return False
        if not self.world.settings["conditional"]:
            raise Refused("NotImplemented", "A header you provided is not implemented.", 501)
        if condition != "*":
            raise Refused("NotImplemented", "only If-None-Match: * is known", 501)
        return True

    def perform(self):
        key_id = self.authenticate()
        body = self.read_body()
        self.check_body(body)
        if not self.may(key_id, RIGHTS[self.op]):
            raise Refused("AccessDenied", "Access Denied")
        if self.op == "CreateBucket":
            self.world.buckets.setdefault(self.bucket_name, storage.Bucket())
            return 200, {}, b""
        self.bucket = self.world.buckets.get(self.bucket_name)
        if self.bucket is None:
            raise Refused("NoSuchBucket", "The specified bucket does not exist", 404)
        self.key_id = key_id
        if self.op in self.world.settings["answers"]:
            return 200, {}, self.world.settings["answers"][self.op].encode()
        return getattr(self, "op_" + self.op)(body)

    # ---- operations ----

    def meta(self):
        return {**{name: values[0] for name, values in self.fields.items()
                   if name.startswith("x-amz-meta-")}, **self.encryption()}

    def encryption(self):
        if self.world.settings["encryption"] == "ignored":
            return {}
        return {name: values[0] for name, values in self.fields.items()
                if name.startswith("x-amz-server-side-encryption")}

    def told_encryption(self):
        """MinIO tells it only of what was put, whole or in parts, and of what is read."""
        return self.encryption() if self.world.settings["encryption"] == "aws" else {}

    def found(self, key):
        if key not in self.bucket.objects and not self.may(self.key_id, "s3:ListBucket"):
            raise Refused("AccessDenied", "Access Denied")
        return self.bucket.get(key)

    def op_HeadBucket(self, _):
        return 200, {"x-amz-bucket-region": self.world.settings["region"]}, b""

    def op_PutObject(self, body):
        thing = storage.Object(body, self.meta())
        self.bucket.put(self.key, thing, self.wants_absence())
        return 200, {**self.checksums(thing), **self.encryption()}, b""

    def checksums(self, thing):
        headers = {"ETag": thing.etag}
        if self.world.settings["crc32c"] and self.field("x-amz-checksum-crc32c"):
            headers["x-amz-checksum-crc32c"] = thing.crc32c
        return headers

    def op_GetObject(self, _):
        thing = self.found(self.key)
        asked = parse_range(self.field("range"), len(thing.data))
        headers = {"ETag": thing.etag, "Accept-Ranges": "bytes", **thing.meta,
                   "Last-Modified": self.date_time_string(thing.modified)}
        if self.world.settings["crc32c"] and self.field("x-amz-checksum-mode") == "ENABLED" and \
                asked is None:
            parts = thing.etag.strip('"').partition("-")[2]
            headers["x-amz-checksum-crc32c"] = "AAAAAA==-" + parts if parts else thing.crc32c
        if asked is None:
            return 200, headers, thing.data
        headers["Content-Range"] = f"bytes {asked[0]}-{asked[1] - 1}/{len(thing.data)}"
        return 206, headers, thing.data[asked[0]:asked[1]]

    op_HeadObject = op_GetObject

    def op_DeleteObject(self, _):
        self.bucket.delete(self.key)
        return 204, {}, b""

    def op_DeleteObjects(self, body):
        if not self.world.settings["delete_many"]:
            raise Refused("NotImplemented", "DeleteObjects is not implemented.", 501)
        try:
            root = xml.etree.ElementTree.fromstring(body)
            keys = [key.text for key in root.findall("{*}Object/{*}Key")]
        except xml.etree.ElementTree.ParseError:
            keys = []
        if not 1 <= len(keys) <= 1000 or None in keys:
            raise Refused("MalformedXML", "The XML you provided was not well-formed", 400)
        quiet, told = root.findtext("{*}Quiet") == "true", ""
        for key in keys:
            code = self.world.settings["key_errors"].get(key)
            if code is not None:
                told += "<Error>" + tag("Key", self.world.settings["told_key"] or key) + \
                    tag("Code", code) + \
                    tag("Message", "for this key") + "</Error>"
                continue
            self.bucket.delete(key.encode())
            told += "" if quiet else "<Deleted>" + tag("Key", key) + "</Deleted>"
        return 200, {}, f"<DeleteResult {NAMESPACE}>{told}</DeleteResult>".encode()

    def source(self):
        path = urllib.parse.unquote_to_bytes(self.field("x-amz-copy-source")).lstrip(b"/")
        name, _, key = path.partition(b"/")
        if not self.may(self.key_id, "s3:GetObject"):
            raise Refused("AccessDenied", "Access Denied")
        if name.decode() not in self.world.buckets:
            raise Refused("NoSuchBucket", "The specified bucket does not exist", 404)
        if name.decode() == self.bucket_name and key == self.key and self.op == "CopyObject":
            raise Refused("InvalidRequest", "This copy request is illegal because it is trying to "
                          "copy an object to itself without changing it.", 400)
        return self.world.buckets[name.decode()].get(key)

    def op_CopyObject(self, _):
        thing = self.source()
        meta = {name: value for name, value in thing.meta.items() if "encryption" not in name}
        self.bucket.put(self.key, storage.Object(thing.data, {**meta, **self.encryption()}))
        xml = (f"<CopyObjectResult {NAMESPACE}>" + tag("ETag", thing.etag) +
               tag("LastModified", iso(time.time())) + "</CopyObjectResult>")
        return 200, self.told_encryption(), xml.encode()

    def op_ListObjectsV2(self, _):
        query, page = self.query, self.world.settings["page"]
        prefix, delimiter = query.get("prefix", "").encode(), query.get("delimiter", "").encode()
        if query.get("list-type") != "2":
            raise Refused("NotImplemented", "only ListObjectsV2 is known", 501)
        after = query.get("start-after", "").encode()
        if "continuation-token" in query:
            head, _, rest = query["continuation-token"].partition("~")
            if head != "1/+ =&:!$'<t>":
                raise Refused("InvalidArgument", "The continuation token is incorrect", 400)
            after = base64.b64decode(rest)
        forgetful = self.world.settings["forgetful"]
        if forgetful:
            after = b""
        page = min(page, int(query.get("max-keys", page)))
        found, more = self.bucket.list(prefix, delimiter, after, page)
        more = more or forgetful
        encode = query.get("encoding-type") == "url"
        show = url_encoded if encode else lambda key: key.decode()
        text = f"<ListBucketResult {NAMESPACE}>" + tag("Name", self.bucket_name) + \
            tag("Prefix", show(prefix)) + tag("KeyCount", len(found)) + tag("MaxKeys", page) + \
            tag("IsTruncated", str(more).lower())
        if encode:
            text += tag("EncodingType", "url")
        if more:
            text += tag("NextContinuationToken",
                        "1/+ =&:!$'<t>~" + base64.b64encode(
                            b"%f" % time.time() if forgetful else found[-1][1]).decode())
        for is_prefix, name in found:
            thing = self.bucket.objects.get(name)
            if is_prefix:
                text += "<CommonPrefixes>" + tag("Prefix", show(name)) + "</CommonPrefixes>"
            elif thing is not None:
                text += "<Contents>" + tag("Key", show(name)) + \
                    tag("LastModified", iso(thing.modified)) + tag("ETag", thing.etag) + \
                    tag("Size", len(thing.data)) + tag("StorageClass", "STANDARD") + "</Contents>"
        return 200, {}, ('<?xml version="1.0" encoding="UTF-8"?>\n' + text +
                         "</ListBucketResult>").encode()

    def op_CreateMultipartUpload(self, _):
        known = self.world.settings["crc32c"]
        upload_id = self.bucket.begin(self.key, self.meta(),
                                      known and self.field("x-amz-checksum-algorithm"))
        told = {"x-amz-checksum-algorithm": "CRC32C"} if known else {}
        xml = (f"<InitiateMultipartUploadResult {NAMESPACE}>" + tag("Bucket", self.bucket_name) +
               tag("Key", self.key.decode()) + tag("UploadId", upload_id) +
               "</InitiateMultipartUploadResult>")
        return 200, {**told, **self.told_encryption()}, xml.encode()

    def store_part(self, data):
        number = int(self.query["partNumber"])
        if not 1 <= number <= 10000:
            raise Refused("InvalidArgument", "Part number must be between 1 and 10000", 400)
        part = storage.Object(data, {})
        self.bucket.upload(self.key, self.query["uploadId"]).parts[number] = part
        return part

    def op_UploadPart(self, body):
        upload = self.bucket.upload(self.key, self.query["uploadId"])
        if upload.algorithm == "CRC32C" and not self.field("x-amz-checksum-crc32c"):
            raise Refused("InvalidRequest", "The upload was created using a CRC32C checksum.", 400)
        of_upload = {name: value for name, value in upload.meta.items() if "encryption" in name}
        return 200, {**self.checksums(self.store_part(body)), **of_upload}, b""

    def op_UploadPartCopy(self, _):
        if self.bucket.upload(self.key, self.query["uploadId"]).algorithm == "CRC32C":
            raise Refused("InvalidArgument", "checksum missing", 400)  # as MinIO has it
        data = self.source().data
        asked = parse_range(self.field("x-amz-copy-source-range"), len(data))
        part = self.store_part(data if asked is None else data[asked[0]:asked[1]])
        return 200, {}, (f"<CopyPartResult {NAMESPACE}>" + tag("ETag", part.etag) +
                         tag("LastModified", iso(part.modified)) + "</CopyPartResult>").encode()

    def op_CompleteMultipartUpload(self, body):
        try:
            root = xml.etree.ElementTree.fromstring(body)
            parts = [(int(part.findtext("{*}PartNumber")), part.findtext("{*}ETag"),
                      part.findtext("{*}ChecksumCRC32C")) for part in root.findall("{*}Part")]
        except (xml.etree.ElementTree.ParseError, TypeError, ValueError):
            raise Refused("MalformedXML", "The XML you provided was not well-formed", 400) from None
        thing = self.bucket.complete(self.key, self.query["uploadId"], parts, self.wants_absence(),
                                     self.world.settings["part_min"])
        return 200, {}, (f'<?xml version="1.0" encoding="UTF-8"?>\n \n'
                         f"<CompleteMultipartUploadResult {NAMESPACE}>" +
                         tag("Bucket", self.bucket_name) + tag("Key", self.key.decode()) +
                         tag("ETag", thing.etag) + "</CompleteMultipartUploadResult>").encode()

    def op_AbortMultipartUpload(self, _):
        self.bucket.abort(self.key, self.query["uploadId"])
        return 204, {}, b""

    def op_ListMultipartUploads(self, _):
        prefix = self.query.get("prefix", "").encode()
        mark = (self.query.get("key-marker", "").encode(), self.query.get("upload-id-marker", ""))
        found = sorted((u.key, i) for i, u in list(self.bucket.uploads.items())
                       if not prefix or u.key == prefix)  # as MinIO has it; others differ
        found = [f for f in found if f > mark or self.world.settings["forgetful"]]
        page = found[:self.world.settings["page"]]
        text = "".join("<Upload>" + tag("Key", key.decode()) + tag("UploadId", upload_id) +
                       tag("Initiated", iso(self.bucket.uploads[upload_id].initiated)) +
                       "</Upload>" for key, upload_id in page)
        more = len(found) > len(page) or bool(page) and self.world.settings["forgetful"]
        if more:
            text += tag("NextKeyMarker", page[-1][0].decode()) + \
                tag("NextUploadIdMarker", page[-1][1])
        return 200, {}, (f"<ListMultipartUploadsResult {NAMESPACE}>" +
                         tag("IsTruncated", str(more).lower()) + text +
                         "</ListMultipartUploadsResult>").encode()

    def op_ListParts(self, _):
        parts = self.bucket.upload(self.key, self.query["uploadId"]).parts
        after = int(self.query.get("part-number-marker") or 0)
        numbers = sorted(n for n in parts if n > after)
        page = numbers[:self.world.settings["page"]]
        text = "".join("<Part>" + tag("PartNumber", n) + tag("Size", len(parts[n].data)) +
                       "</Part>" for n in page)
        more = len(numbers) > len(page)
        if more:
            text += tag("NextPartNumberMarker", page[-1])
        return 200, {}, (f"<ListPartsResult {NAMESPACE}>" + tag("IsTruncated", str(more).lower()) +
                         text + "</ListPartsResult>").encode()

    # ---- answering, and failing ----

    def cut(self, reset):
        """Ends the connection; with a reset, what is under way is lost."""
        self.close_connection = True
        self.wfile.flush()
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
        self.wfile = open(os.devnull, "wb")
        self.connection.shutdown(socket.SHUT_RDWR) if not reset else None
        self.connection.close()
        self.rfile.close()

    def fail_before(self):
        """Faults of which the operation knows nothing. True: the request has been dealt with."""
        kind = self.fault
        if kind == "refuse":
            self.cut(True)
        elif kind == "reset":
            self.read_body()
            self.cut(True)
        elif kind == "stall":
            self.read_body()
            time.sleep(self.world.settings["stall_seconds"])
            self.close_connection = True
        elif kind == "no-http":  # what a port of another program says
            self.read_body()
            self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
            self.cut(False)
        elif kind == "early":  # an error before the body was read, and then no more
            self.close_connection = True
            self.send(503, {"Connection": "close"}, self.error_text("SlowDown", "early"))
        elif kind in ERRORS:
            self.read_body()
            status, code, message = ERRORS[kind]
            self.send(status, {}, self.error_text(code, message))
        elif kind == "error-200" and self.answers_xml():
            self.read_body()
            self.send(200, {}, self.error_text("InternalError", "it went wrong after all"))
        elif kind in ("empty-200", "garbage", "doctype", "deep", "endless") and self.answers_xml():
            self.read_body()
            self.send(200, {}, hostile(kind))
        else:
            return False
        return True

    def answers_xml(self):
        return self.op not in ("PutObject", "UploadPart", "GetObject", "HeadObject", "DeleteObject",
                               "AbortMultipartUpload")

    def error_text(self, code, message, extra=""):
        return ('<?xml version="1.0" encoding="UTF-8"?>\n<Error>' + tag("Code", code) +
                tag("Message", message) + tag("Resource", self.raw_path) + extra +
                tag("RequestId", "0123") + "</Error>").encode()

    def refuse(self, refused):
        headers, extra = {}, ""
        if not self.received:
            self.close_connection = True  # the body was not read
            headers["Connection"] = "close"
        if refused.code == "PermanentRedirect":
            headers["x-amz-bucket-region"] = self.world.settings["region"]
            extra = tag("Region", self.world.settings["region"])
        self.answer(refused.status, headers, self.error_text(refused.code, refused.message, extra))

    def answer(self, status, headers, body):
        kind = self.fault
        if kind == "lost":
            return self.cut(True)
        if kind == "wrong-checksum" and self.op == "GetObject" and status < 300 and body:
            body = bytes([body[0] ^ 1]) + body[1:]
        if kind == "drip" and status < 300:
            return self.send_slowly(status, headers, body)
        if kind not in ("reset-body", "truncate", "stall-body"):
            return self.send(status, headers, body)
        self.start_answer(status, headers, body)
        if self.command != "HEAD":
            self.wfile.write(body[:len(body) // 2])
        self.wfile.flush()
        if kind == "stall-body":
            time.sleep(self.world.settings["stall_seconds"])
        return self.cut(kind == "reset-body")

    def start_answer(self, status, headers, body):
        if status == 503 and self.world.settings["retry_after"] is not None:
            headers = {**headers, "Retry-After": str(self.world.settings["retry_after"])}
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()

    def send(self, status, headers, body):
        self.start_answer(status, headers, body)
        if self.command != "HEAD" and status != 204:
            self.wfile.write(body)
            with self.world.lock:
                self.world.sent += len(body)
        self.wfile.flush()

    def send_slowly(self, status, headers, body):
        """So that a client has time to be killed, or to change its mind."""
        self.start_answer(status, headers, body)
        for at in range(len(body)):
            self.wfile.write(body[at:at + 1])
            self.wfile.flush()
            time.sleep(0.05)

    # ---- the services that hand out keys ----

    def do_service(self):
        name = self.raw_path[len("/-/"):]
        self.op = {"sts": "sts-keys", "container": "container-keys",
                   "imds/latest/api/token": "imds-token"}.get(name, "imds-keys")
        if name == "control":
            return self.send(200, {}, self.world.control(self.read_body()).encode())
        self.world.last[self.op] = self.fields
        self.fault = self.world.next_fault(self.op)
        if self.fail_before():
            return None
        body = self.read_body().decode()
        if name == "sts":
            return self.answer(*self.token_service(urllib.parse.parse_qs(body)))
        if name == "container":
            wanted = self.world.settings["container_token"]
            if wanted is not None and self.field("authorization") != wanted:
                return self.answer(401, {}, b"no")
            return self.answer(200, {}, self.keys_as_json())
        return self.answer(*self.metadata_service(name))

    def keys_as_json(self):
        key_id, secret, token, end = self.world.new_keys()
        return json.dumps({"Code": "Success", "AccessKeyId": key_id, "SecretAccessKey": secret,
                           "Token": token, "Expiration": end}).encode()

    def token_service(self, form):
        if form.get("Action") != ["AssumeRoleWithWebIdentity"] or \
                form.get("WebIdentityToken") != ["identity+token/="] or \
                form.get("RoleArn") != ["arn:aws:iam::1:role/test"]:
            return 403, {}, (b"<ErrorResponse><Error><Code>AccessDenied</Code></Error>"
                             b"</ErrorResponse>")
        key_id, secret, token, end = self.world.new_keys()
        return 200, {}, (
            '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            "<AssumeRoleWithWebIdentityResult><Credentials>" + tag("AccessKeyId", key_id) +
            tag("SecretAccessKey", secret) + tag("SessionToken", token) + tag("Expiration", end) +
            "</Credentials></AssumeRoleWithWebIdentityResult>"
            "</AssumeRoleWithWebIdentityResponse>").encode()

    def metadata_service(self, name):
        roles = "imds/latest/meta-data/iam/security-credentials/"
        if self.command == "PUT" and name == "imds/latest/api/token" and \
                self.field("x-aws-ec2-metadata-token-ttl-seconds"):
            return 200, {}, b"metadata-session"
        if self.field("x-aws-ec2-metadata-token") != "metadata-session":
            return 401, {}, b"no session"
        if name == roles:
            return 200, {}, b"test-role\n"
        if name == roles + "test-role":
            return 200, {}, self.keys_as_json()
        return 404, {}, b"nothing here"


def hostile(kind):
    if kind == "garbage":
        return b"<html><body>sorry<br></body>"
    if kind == "doctype":
        return b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
    if kind == "deep":
        return b"<a>" * 10000 + b"</a>" * 10000
    if kind == "endless":
        return b"<ListBucketResult>" + b"<Contents><Key>k</Key></Contents>" * 600000
    return b""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def use_tls(self, certificate, key):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        # The threads of the connections shake hands.
        self.socket = context.wrap_socket(self.socket, server_side=True,
                                          do_handshake_on_connect=False)

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1],
                          (ConnectionError, TimeoutError, ValueError, ssl.SSLError)):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--port-file")
    parser.add_argument("--key", default="testkey:testsecret", metavar="ID:SECRET")
    parser.add_argument("--bucket", action="append", default=[])
    parser.add_argument("--set", type=json.loads, default={}, metavar="JSON")
    parser.add_argument("--tls", nargs=2, metavar=("CERTIFICATE", "KEY"))
    arguments = parser.parse_args()
    world = World(*arguments.key.split(":", 1))
    world.settings.update(arguments.set)
    for name in arguments.bucket:
        world.buckets[name] = storage.Bucket()
    Handler.world = world
    server = Server(("127.0.0.1", 0), Handler)
    endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    if arguments.tls:
        server.use_tls(*arguments.tls)
        endpoint = endpoint.replace("http:", "https:")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    if arguments.port_file:
        with open(arguments.port_file + ".new", "w", encoding="ascii") as file:
            file.write(endpoint + "\n")
        os.rename(arguments.port_file + ".new", arguments.port_file)
    print(endpoint, flush=True)
    for line in sys.stdin:  # ends with whoever started us
        print(world.control(line), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
