// Golden words into an accelerator and its results out, in plain Verilog: for any simulator.
//
// One process makes the clock, drives and samples, so nothing depends on an order of processes.
// plain_bench.vh defines what depends on the design. Prints a line for every word that leaves:
// the cycle, TLAST and the word in hexadecimal, each x where it is unknown.

`include "plain_bench.vh"
`timescale 1ns / 1ps

module plain_bench;
  reg clk, rst, valid, last;
  reg [31:0] data;
  wire ready, o_valid, o_last;
  wire [31:0] o_data;

  `TOP dut (
    .clk(clk), .rst(rst),
    .s_axis_tvalid(valid), .s_axis_tready(ready), .s_axis_tdata(data), .s_axis_tlast(last),
    .m_axis_tvalid(o_valid), .m_axis_tready(1'b1), .m_axis_tdata(o_data), .m_axis_tlast(o_last)
    `TIED
  );

  reg [32:0] words [0:`WORDS - 1];  // TLAST, word
  integer cycle, begun, next, results;
  reg taken;

  task tick;
    begin
      #4;
      taken = valid && ready === 1'b1;
      cycle = cycle + 1;
      if (!rst && o_valid !== 1'b0) begin
        $display("%0d %b %h", cycle - begun, o_last & o_valid, o_data);
        if (o_last !== 1'b0) results = results + 1;
      end
      if (cycle > `DEADLINE) begin
        $display("no end after %0d cycles: word %0d of %0d", cycle, next, `WORDS);
        $finish;
      end
      #1 clk = 1'b1;
      #5 clk = 1'b0;
    end
  endtask

  task send;
    begin
      {last, data} = words[next];
      valid = 1'b1;
      tick;
      while (!taken) tick;
      valid = 1'b0;
      last = 1'b0;
    end
  endtask

  initial begin
    $readmemh("words.hex", words);
    clk = 1'b0;
    rst = 1'b1;
    valid = 1'b0;
    last = 1'b0;
    data = 32'd0;
    cycle = 0;
    begun = 0;
    next = 0;
    results = 0;
    tick;
    tick;
    rst = 1'b0;
    tick;
    begun = cycle;
    for (next = 0; next < `SUPERMASK; next = next + 1) send;
    $display("loaded %0d", cycle - begun);
    repeat (`SETTLE) tick;
    begun = cycle;
    for (next = next; next < `WORDS; next = next + 1) send;
    while (results < `RESULTS) tick;
    $finish;
  end
endmodule
