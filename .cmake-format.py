# cmake-format's settings, read by tools/lint.sh and tools/format.sh.
with section("format"):  # noqa: F821
    line_width = 120
    tab_size = 2
    max_subgroups_hwrap = 4
    max_pargs_hwrap = 40
    dangle_parens = False
    separate_ctrl_name_with_space = False
with section("parse"):  # noqa: F821
    additional_commands = {
        "tarsier_layer": {
            "pargs": 1,
            "flags": ["TORCH"],
            "kwargs": {"DEPENDS": "*", "LIBRARIES": "*", "PRECOMPILE": "*"},
        },
        "tarsier_sources": {"pargs": "*"},
        "tarsier_test": {"pargs": "*"},
        "tarsier_slow_test": {"pargs": "*"},
    }
with section("markup"):  # noqa: F821
    enable_markup = False
