//! What a service tells whoever watches it: metrics of closed names and labels, log fields of a closed
//! list, and a doctor that names what is wrong. None of it holds anything of a patient.

mod doctor;
mod fields;
mod pages;
