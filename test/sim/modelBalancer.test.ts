/** The model-based rule in the tank: what its page promises when the peak moves, and where placement alone deadlocks. */
import test from 'ava';
