//! Whole rounds in memory, what every party refuses, and vectors by an independent script.
//!
//! Each of these was seen to fail when its guard was taken out:
//!
//! | guard taken out | test |
//! |---|---|
//! | box digest against the signed parts (`inspect`) | `members::a_swapped_box_is_refused_and_…` |
//! | seed against its commitment (`inspect`) | `members::split_seeds_and_bad_boxes_are_refused` |
//! | one ballot a member (`vote`) | `model::one_outcome_for_every_committee` |
//! | quorum less one (`shape`) | both of `model`, `members::certificates_count_…`, `rounds` |
//! | f + 1 words on a mask sum (`sums`) | `members::a_false_mask_sum_is_not_believed` |
//! | one set over overlapping months (`family`) | `families::overlapping_months_have_one_set`, `families::quorums_cannot_…` |
//! | noise of n_min − t shares (`threshold`) | `manifests::every_lowered_or_swapped_field` |
//! | countersignatures (`key_list`) | `lists::versions_follow_each_other_and_…` |
//! | operator's seats (`key_list`) | `lists::every_rule_about_a_list` |
//! | accepted fingerprints (`manifest`) | `manifests::newcomers_wait_for_the_steward_and_…` |
//! | key lasts until the last answer (`manifest`) | `manifests::every_lowered_or_swapped_field` |
//! | vector against the signed parts (`upload`) | `rounds::uploads_are_bound_to_…` |
//! | range of totals (`total`) | `rounds::a_total_outside_its_range_is_refused` |
//! | one ballot; a certificate before sums; quorum (as rules of the model) | `unmask::every_guard_is_needed` |
//! | `f + 1` witnesses (`receipt`) | `receipts::two_fresh_receipts_of_other_seats_…` |
//! | size and root as the subject signed them (`receipt`) | `receipts::a_receipt_counts_by_a_seat_…` |
//! | later names of the log (`receipt`) | `receipts::a_receipt_that_is_ahead_or_forked_stops_it` |
//! | the way from what a seat knew (`receipt::ask`) | `receipts::a_seat_gives_up_what_it_knows_…` |

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first fault"
)]

mod exact;
mod families;
mod fixture;
mod hostile;
mod lists;
mod manifests;
mod members;
mod model;
mod receipts;
mod rounds;
mod unmask;
mod vectors;
