// A small design with what synthesis has to handle: a counter with carry chains, a state machine,
// a memory that fits a block RAM, and a lookup table from a case statement.
module top (
    input  wire       clk,
    input  wire       reset,
    input  wire [3:0] key,
    output wire [6:0] segments,
    output wire       ready
);
    reg [15:0] ticks;
    reg [1:0]  state;
    reg [7:0]  accumulator;
    reg [7:0]  read;
    reg [7:0]  history [0:255];

    localparam IDLE = 2'd0, LOAD = 2'd1, ADD = 2'd2, SHOW = 2'd3;

    always @(posedge clk) begin
        if (reset) begin
            ticks       <= 16'd0;
            state       <= IDLE;
            accumulator <= 8'd0;
        end else begin
            ticks <= ticks + 16'd1;
            case (state)
                IDLE: if (key != 4'd0) state <= LOAD;
                LOAD: state <= ADD;
                ADD: begin
                    accumulator <= accumulator + {4'd0, key} * 8'd3 + read;
                    state       <= SHOW;
                end
                SHOW: if (ticks[3:0] == 4'd0) state <= IDLE;
            endcase
        end
    end

    always @(posedge clk) begin
        if (state == SHOW) history[ticks[11:4]] <= accumulator;
        read <= history[accumulator];
    end

    function [6:0] digit(input [3:0] value);
        case (value)
            4'h0: digit = 7'b0111111;
            4'h1: digit = 7'b0000110;
            4'h2: digit = 7'b1011011;
            4'h3: digit = 7'b1001111;
            4'h4: digit = 7'b1100110;
            4'h5: digit = 7'b1101101;
            4'h6: digit = 7'b1111101;
            4'h7: digit = 7'b0000111;
            4'h8: digit = 7'b1111111;
            4'h9: digit = 7'b1101111;
            4'ha: digit = 7'b1110111;
            4'hb: digit = 7'b1111100;
            4'hc: digit = 7'b0111001;
            4'hd: digit = 7'b1011110;
            4'he: digit = 7'b1111001;
            4'hf: digit = 7'b1110001;
        endcase
    endfunction

    assign segments = digit(ticks[15] ? accumulator[7:4] : accumulator[3:0]);
    assign ready    = state == IDLE;
endmodule
