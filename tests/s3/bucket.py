"""What the tests' S3 server keeps: objects and uploads in memory."""
import base64
import bisect
import ctypes
import ctypes.util
import hashlib
import threading
import time

from sigv4 import Refused

_isal = ctypes.CDLL(ctypes.util.find_library("isal") or "libisal.so.2")
_isal.crc32_iscsi.restype = ctypes.c_uint
_isal.crc32_iscsi.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_uint]


def crc32c(data):
    """In base64, as S3 writes it."""
    value = _isal.crc32_iscsi(bytes(data), len(data), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return base64.b64encode(value.to_bytes(4, "big")).decode()


class Object:
    def __init__(self, data, meta, etag=None):
        self.data, self.meta = data, meta
        self.etag = etag or '"%s"' % hashlib.md5(data).hexdigest()
        self.crc32c = crc32c(data)
        self.modified = time.time()


class Upload:
    def __init__(self, key, meta, algorithm):
        self.key, self.meta, self.algorithm = key, meta, algorithm
        self.parts = {}
        self.initiated = time.time()


class Bucket:
    """Keys are bytes. Every method is atomic."""

    def __init__(self):
        self.lock = threading.RLock()
        self.objects = {}
        self.keys = []  # in byte order
        self.uploads = {}  # by id
        self.next_upload = 1

    def put(self, key, thing, if_absent=False):
        with self.lock:
            if if_absent and key in self.objects:
                raise Refused("PreconditionFailed",
                              "At least one of the pre-conditions you specified did not hold", 412)
            if key not in self.objects:
                bisect.insort(self.keys, key)
            self.objects[key] = thing

    def get(self, key):
        thing = self.objects.get(key)
        if thing is None:
            raise Refused("NoSuchKey", "The specified key does not exist.", 404)
        return thing

    def delete(self, key):
        with self.lock:
            if self.objects.pop(key, None) is not None:
                del self.keys[bisect.bisect_left(self.keys, key)]

    def list(self, prefix, delimiter, after, limit):
        """(is_prefix, name) of at most `limit` entries past `after`, and whether there are more."""
        found = []
        with self.lock:
            at = bisect.bisect_left(self.keys, max(prefix, after))
            while at < len(self.keys) and self.keys[at].startswith(prefix):
                key = self.keys[at]
                cut = key.find(delimiter, len(prefix)) if delimiter else -1
                name = key if cut < 0 else key[:cut + len(delimiter)]
                # Past all keys of a prefix: 0xFF is in no UTF-8 text.
                at = at + 1 if cut < 0 else bisect.bisect_left(self.keys, name + b"\xff")
                if name <= after:
                    continue
                if len(found) == limit:
                    return found, True
                found.append((cut >= 0, name))
        return found, False

    def begin(self, key, meta, algorithm):
        with self.lock:
            number, self.next_upload = self.next_upload, self.next_upload + 1
            upload_id = f"upload/{number}+id=?&<{number}>"
            self.uploads[upload_id] = Upload(key, meta, algorithm)
            return upload_id

    def upload(self, key, upload_id):
        found = self.uploads.get(upload_id)
        if found is None or found.key != key:
            raise Refused("NoSuchUpload", "The specified upload does not exist.", 404)
        return found

    def complete(self, key, upload_id, wanted, if_absent, part_min):
        """`wanted`: (number, etag, CRC-32C or None) of each part."""
        with self.lock:
            upload = self.upload(key, upload_id)
            if not wanted or [w[0] for w in wanted] != sorted({w[0] for w in wanted}):
                raise Refused("InvalidPartOrder", "The list of parts was not in ascending order.",
                              400)
            parts = []
            for number, etag, crc in wanted:
                part = upload.parts.get(number)
                if part is None or part.etag.strip('"') != etag.strip('"') or \
                        (crc is not None and crc != part.crc32c) or \
                        (crc is None and upload.algorithm == "CRC32C"):
                    raise Refused("InvalidPart", f"part {number} is not there, or another", 400)
                parts.append(part)
            if any(len(part.data) < part_min for part in parts[:-1]):
                raise Refused("EntityTooSmall", "Your proposed upload is too small", 400)
            digest = hashlib.md5(b"".join(bytes.fromhex(p.etag.strip('"')) for p in parts))
            thing = Object(b"".join(part.data for part in parts), upload.meta,
                           f'"{digest.hexdigest()}-{len(parts)}"')
            self.put(key, thing, if_absent)
            del self.uploads[upload_id]
            return thing

    def abort(self, key, upload_id):
        with self.lock:
            self.upload(key, upload_id)
            del self.uploads[upload_id]
