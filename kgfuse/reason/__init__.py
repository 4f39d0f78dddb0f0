"""What follows from the graph: OWL 2 RL closure, proofs, CONSTRUCT rules, SHACL."""
