//! A routing policy in fourteen lines.
