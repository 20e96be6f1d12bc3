# SPDX-License-Identifier: Apache-2.0
"""WebHDFS by urllib: an independent view of what the program left in HDFS."""
import json
import urllib.error
import urllib.parse
import urllib.request

LIMIT_S = 30


class HdfsError(Exception):
    def __init__(self, status, name, message):
        super().__init__(f"HTTP {status}: {name}: {message}")
        self.status, self.name = status, name


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A PUT is sent again by hand: urllib would make a GET of it."""

    def redirect_request(self, *_):
        return None


_open = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({})).open


class WebHdfs:
    """url: hdfs://host:port[/base]; paths are below base."""

    def __init__(self, url, user=None):
        parts = urllib.parse.urlsplit(url)
        self.address, self.base = parts.netloc, parts.path.rstrip("/")
        self.user = user

    def url(self, path, op, **params):
        if self.user:
            params["user.name"] = self.user
        full = f"{self.base}/{path.lstrip('/')}".rstrip("/") or "/"
        query = urllib.parse.urlencode({"op": op, **params})
        return f"http://{self.address}/webhdfs/v1{urllib.parse.quote(full)}?{query}"

    def call(self, method, path, op, data=None, **params):
        url = self.url(path, op, **params)
        answer = self._request(method, url, None)
        if answer.status == 307:
            answer = self._request(method, answer.headers["Location"], data)
        return answer.read()

    def _request(self, method, url, data):
        request = urllib.request.Request(url, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/octet-stream")
        try:
            return _open(request, timeout=LIMIT_S)
        except urllib.error.HTTPError as error:
            if error.code == 307:
                return error
            raise self._error(error) from None

    @staticmethod
    def _error(error):
        body = error.read()
        try:
            remote = json.loads(body)["RemoteException"]
        except (ValueError, KeyError):
            remote = {"exception": "", "message": body.decode(errors="replace")[:200]}
        return HdfsError(error.code, remote["exception"], remote["message"])

    def _json(self, *args, **params):
        return json.loads(self.call(*args, **params))

    def stat(self, path):
        return self._json("GET", path, "GETFILESTATUS")["FileStatus"]

    def exists(self, path):
        try:
            self.stat(path)
        except HdfsError as error:
            if error.status == 404:
                return False
            raise
        return True

    def list(self, path=""):
        """Entries of a directory as WebHDFS names them: pathSuffix, type, length, ..."""
        return self._json("GET", path, "LISTSTATUS")["FileStatuses"]["FileStatus"]

    def walk(self, path=""):
        """Paths of all files below, relative to base, sorted. A folder may go meanwhile."""
        return sorted(self._walk(path, self.list(path)))

    def _walk(self, path, entries):
        for entry in entries:
            name = f"{path}/{entry['pathSuffix']}".lstrip("/")
            if entry["type"] != "DIRECTORY":
                yield name
                continue
            try:
                below = self.list(name)
            except HdfsError as error:
                if error.status != 404:
                    raise
                continue
            yield from self._walk(name, below)

    def read(self, path):
        return self.call("GET", path, "OPEN")

    def write(self, path, data, overwrite=True, **params):
        self.call("PUT", path, "CREATE", data, overwrite=str(overwrite).lower(), **params)

    def mkdir(self, path=""):
        self.call("PUT", path, "MKDIRS")

    def rename(self, path, to, options=None):
        params = {"renameoptions": options} if options else {}
        answer = self.call("PUT", path, "RENAME", destination=f"{self.base}/{to.lstrip('/')}",
                           **params)
        return json.loads(answer)["boolean"] if answer else True

    def delete(self, path="", recursive=True):
        return self._json("DELETE", path, "DELETE", recursive=str(recursive).lower())["boolean"]

    def checksum(self, path):
        return self._json("GET", path, "GETFILECHECKSUM")["FileChecksum"]
