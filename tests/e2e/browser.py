# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium, spoken to through a pipe (DevTools protocol), standard library only."""
import base64
import json
import os
import shutil
import subprocess
import threading
import time

import lib

WAIT_SECONDS = 120  # a stop for what hangs, on a busy machine too


class Browser:
    """One page. `errors` has what the console and the page's code complained of, `requests` each
    URL that was asked for."""

    def __init__(self):
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        assert program, "there is no chromium; ./dev test installs it"
        to_read, self.to = os.pipe()
        self.of, from_write = os.pipe()
        self.answers = {}
        self.errors, self.requests, self.last = [], [], 0
        options = ["--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--no-first-run",
                   "--disable-dev-shm-usage", "--disable-background-networking", "--hide-scrollbars",
                   f"--user-data-dir={lib.tmp_dir()}/browser"]
        if os.geteuid() == 0:
            options.append("--no-sandbox")
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{to_read} 4>&{from_write}', "bash", program, *options, "about:blank"],
            pass_fds=(to_read, from_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(from_write)
        self.condition = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()
        self.session = None
        target = next(t for t in self.send("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.to)

    def read(self):
        rest = b""
        while True:
            try:
                more = os.read(self.of, 1 << 16)
            except OSError:
                return
            if not more:
                return
            *messages, rest = (rest + more).split(b"\0")
            for message in messages:
                self.take(json.loads(message))

    def take(self, message):
        params = message.get("params", {})
        method = message.get("method")
        with self.condition:
            if "id" in message:
                self.answers[message["id"]] = message
            elif method == "Runtime.exceptionThrown":
                self.errors.append(params["exceptionDetails"]["text"])
            elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                self.errors.append(params["entry"]["text"])
            elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
                self.errors.append(str(params["args"]))
            elif method == "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            self.condition.notify_all()

    def send(self, method, **params):
        self.last += 1
        number = self.last
        message = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        with self.condition:
            assert self.condition.wait_for(lambda: number in self.answers, WAIT_SECONDS), f"no answer to {method}"
            answer = self.answers.pop(number)
        assert "error" not in answer, (method, answer)
        return answer["result"]

    def open(self, url):
        self.send("Page.navigate", url=url)

    def value(self, expression):
        """What JavaScript gives, as JSON would carry it."""
        result = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait_for(self, expression, seconds=WAIT_SECONDS):
        end = time.monotonic() + seconds
        while not (value := self.value(expression)):
            assert time.monotonic() < end, f"never true: {expression}\n{self.value('document.body.innerText')}"
            time.sleep(0.1)
        return value

    def size(self, width, height=900, is_dark=False):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)
        self.send("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}])

    def key(self, key):
        """Presses and lets go, such as Tab or ArrowLeft."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowRight": 39}
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      windowsVirtualKeyCode=codes[key], nativeVirtualKeyCode=codes[key])

    def screenshot(self, path):
        """The whole page as PNG."""
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(shot["data"]))
