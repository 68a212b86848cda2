// libx265 keeps a few of its own parameter copies; the tests encode with it.
extern "C" const char* __lsan_default_suppressions() { return "leak:libx265\n"; }
