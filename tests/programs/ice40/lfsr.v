// A counter that lights five lamps in an order that looks random.
module lfsr (
    input  wire       clk,
    output wire [4:0] lamps
);
    reg [18:0] divider = 19'd0;
    reg [4:0]  state   = 5'd1;
    always @(posedge clk) begin
        divider <= divider + 19'd1;
        if (divider == 19'd0) state <= {state[3:0], state[4] ^ state[2]};
    end
    assign lamps = state;
endmodule
