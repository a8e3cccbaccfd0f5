"""Each rule of check_layers, tidy and check_symbols rejects what breaks it and takes what does not.

The tools run on a small tree of their own, so that the test does not depend on the project's code.
"""

import importlib.machinery
import importlib.util
import os
import sys
import tempfile
import unittest

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools")
sys.dont_write_bytecode = True
sys.path.insert(0, TOOLS)
import source_text  # noqa: E402


def load(name):
    loader = importlib.machinery.SourceFileLoader(name, os.path.join(TOOLS, name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


check_layers, tidy, check_symbols = load("check_layers"), load("tidy"), load("check_symbols")
LAYERS = {"base": (0, []), "os": (1, ["base"]), "store": (3, ["base", "os"])}


class Tree(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root, source_text.ROOT = source_text.ROOT, self.folder.name

    def tearDown(self):
        source_text.ROOT = self.root
        self.folder.cleanup()

    def put(self, path, text):
        full = os.path.join(self.folder.name, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as out:
            out.write(text)
        return path


class Layers(Tree):
    def problems(self, path, text):
        return list(check_layers.check_source(self.put(path, text), LAYERS))

    def test_a_lower_layer_may_be_included(self):
        text = '#include "os/files.h"\n#include <stdio.h>\n#include "akidb/base.h"\n'
        self.assertEqual(self.problems("src/store/a.c", text), [])

    def test_a_higher_layer_may_not(self):
        self.assertIn(
            "src/os may not include", self.problems("src/os/a.c", '#include "store/a.h"')[0]
        )

    def test_no_include_goes_through_the_parent_folder(self):
        self.assertIn('goes through ".."', self.problems("src/os/a.c", '#include "../base/a.h"')[0])

    def test_an_include_in_a_comment_is_none(self):
        self.assertEqual(self.problems("src/os/a.c", '/* #include "store/a.h" */\n'), [])

    def test_the_list_itself_is_one_way(self):
        self.assertEqual(len(list(check_layers.check_order({"a": (1, ["b"]), "b": (1, [])}))), 1)

    def test_the_command_line_includes_public_headers_only(self):
        path = self.put("cli/a.c", '#include "base/error.h"\n#include "akidb/base.h"\n')
        self.assertEqual(len(list(check_layers.check_cli(path))), 1)

    def test_extern_in_a_source_file_is_found(self):
        path = self.put("src/os/a.c", "extern int x;\nint external;\n")
        self.assertEqual(len(list(check_layers.check_extern(path))), 1)


class Tidy(Tree):
    def test_banned_calls_are_found_and_words_in_comments_are_not(self):
        code = source_text.without_comments('strcpy(a, b);\n/* strcpy( */ "strcpy(";\nx.rand(1);\n')
        self.assertEqual(len(list(tidy.check_calls("cli/a.c", code))), 1)

    def test_the_library_does_not_print_and_the_command_line_may(self):
        self.assertEqual(len(list(tidy.check_calls("src/os/a.c", "printf(x);"))), 1)
        self.assertEqual(list(tidy.check_calls("cli/a.c", "printf(x);")), [])

    def test_a_long_function_is_found_by_name(self):
        code = "static int long_one(int a,\n    int b)\n{\n" + "    a++;\n" * 69 + "}\n"
        self.assertEqual(list(tidy.long_ones("src/a.c", code)), [(("src/a.c", "long_one"), 71)])

    def test_a_known_long_function_may_not_grow_and_must_be_lowered_when_it_shrinks(self):
        known = {("a.c", "f"): 80}
        self.assertEqual(list(tidy.check_lengths({("a.c", "f"): 80}, known)), [])
        self.assertIn("grew", next(tidy.check_lengths({("a.c", "f"): 81}, known)))
        self.assertIn("shorter", next(tidy.check_lengths({("a.c", "f"): 79}, known)))
        self.assertIn("limit", next(tidy.check_lengths({("a.c", "g"): 71}, {})))

    def test_white_space_and_leftovers_are_found(self):
        for text in ("a \n", "\ta\n", "a", "x" * 101 + "\n", "TO" + "DO: later\n"):
            self.assertEqual(len(list(tidy.check_text("src/a.c", text))), 1, text)
        self.assertEqual(list(tidy.check_text("src/a.c", "fine\n")), [])

    def test_a_header_that_nobody_includes_is_dead(self):
        self.put("src/os/a.h", "int a;\n")
        source = self.put("src/os/a.c", "int a;\n")
        self.assertEqual(len(list(tidy.check_dead_headers([source]))), 1)
        self.put("src/os/a.c", '#include "os/a.h"\n')
        self.assertEqual(list(tidy.check_dead_headers([source])), [])


class Symbols(Tree):
    def test_promises_are_read_from_declarations_of_any_shape(self):
        self.put(
            "include/akidb/a.h",
            "/* AKIDB_API void akidb_no(void); */\n#define AKIDB_API x\n"
            "AKIDB_API void akidb_a(akidb_b *b);\n"
            "AKIDB_API AKIDB_CHECK akidb_status\nakidb_c(void (*f)(void *), int d);\n",
        )
        self.assertEqual(check_symbols.promised(), {"akidb_a", "akidb_c"})


if __name__ == "__main__":
    unittest.main()
