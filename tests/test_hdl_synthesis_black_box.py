"""A module without its inside."""

from kakure.hdl.synthesis.black_box import black_box


def test_ports_declared_after_the_header():
    text = """
    /* module old(x); */
    (* top = 1 *)
    module \\top.a (clk, d, q); // ports
      (* src = "a.py:3; input" *)
      input clk; wire clk;
      input [3:0]
        d;
      reg [3:0] q;
      output [3:0] q;
      always @(*) q = d;
    endmodule
    """
    assert [line.strip() for line in black_box(text).splitlines()] == [
        "(* blackbox, keep *)",
        "module \\top.a (clk, d, q);",
        "input clk;",
        "input [3:0]",
        "d;",
        "output [3:0] q;",
        "endmodule",
    ]


def test_ports_declared_in_the_header():
    text = "module a #(parameter W = 2) (input [W-1:0] d, output y); assign y = ^d; endmodule"
    assert black_box(text) == (
        "(* blackbox, keep *)\n"
        "module a #(parameter W = 2) (input [W-1:0] d, output y);\n"
        "endmodule\n"
    )


def test_a_change_inside_does_not_show():
    texts = [f"module a(input d, output y); assign y = {e}; endmodule" for e in ("d", "~d")]
    assert black_box(texts[0]) == black_box(texts[1])
