// Full adders found by extract_fa, onto the library's cell. One with a constant input stays logic:
// as a cell it could not be simplified any more.
(* techmap_celltype = "$fa" *)
module map_full_adder (A, B, C, X, Y);
  parameter WIDTH = 1;
  parameter [WIDTH-1:0] _TECHMAP_CONSTMSK_A_ = 0;
  parameter [WIDTH-1:0] _TECHMAP_CONSTMSK_B_ = 0;
  parameter [WIDTH-1:0] _TECHMAP_CONSTMSK_C_ = 0;
  localparam [WIDTH-1:0] IS_CONSTANT =
      _TECHMAP_CONSTMSK_A_ | _TECHMAP_CONSTMSK_B_ | _TECHMAP_CONSTMSK_C_;
  input [WIDTH-1:0] A, B, C;
  output [WIDTH-1:0] X, Y;
  genvar i;
  generate for (i = 0; i < WIDTH; i = i + 1) begin: bits
    if (IS_CONSTANT[i]) begin
      assign X[i] = A[i] & B[i] | C[i] & (A[i] | B[i]);
      assign Y[i] = A[i] ^ B[i] ^ C[i];
    end else
      FA_X1 adder (.A(A[i]), .B(B[i]), .CI(C[i]), .CO(X[i]), .S(Y[i]));
  end endgenerate
endmodule
