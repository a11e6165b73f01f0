"""Area and timing of a generated design in the Nangate 45 nm library, with open tools only."""
