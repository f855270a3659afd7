//! Pooled rounds of real nodes, a committee and a coordinator: five hospitals, committee (4, 1) of
//! two hospitals and two public bodies.
//!
//! Guards of nodes and coordinator that the rows of docs/POOLED.md stand on. Each of these tests was
//! seen to fail when its guard was taken out:
//!
//! | row | guard taken out | test |
//! |---|---|---|
//! | 1, 2, 5 | state and time of a word, a sum or the end (`advance`, `seats`) | `ends::below_its_quorum_…`, `guards::the_coordinator_…` |
//! | 3 | one ballot a round (`seat::ballot`); its refusal reaches the caller (`seat::certify`) | `refused::a_second_survivor_set_…` |
//! | 3 | the own vote before sums (`sums::may`); one certificate a round (`families::keep`, kept by `sums` too) | `guards::a_certificate_alone_…` |
//! | 4 | another manifest under a kept name (`round::check`); the alarm (`round::open`) | `refused::manifests_that_…` |
//! | 4 | a name that an attributed round has (`round::keep`) | `guards::too_late_locked_…` |
//! | 5 | no other set once seats are asked to vote (`advance::certify`) | `guards::the_coordinator_…` |
//! | 6 | a newcomer in a draft (`lists::countersign`) | every test: founding asks for the refusal |
//! | 6, 22 | one countersignature a version; version, previous list, validity of a draft; the alarm at a fork (`lists`) | `guards::one_list_a_version_…` |
//! | 6, 22 | a countersignature for another list (`coordinator: list`) | `guards::one_list_a_version_…` |
//! | 8 | what follows from the question (`round::check`) | `refused::manifests_that_…` |
//! | 9 | the roster before an upload (`families::roster_fits`); sets heard of (`families::hear`) | `refused::a_second_survivor_set_…` |
//! | 9 | the family rule at the vote (`seat::ballot`) and before sums (`sums::may`) | `guards::a_certificate_alone_…` |
//! | 11 | a rolled back log (`seat`) | `ends::a_lost_key_and_…` |
//! | 12 | open rounds (`answer::pay`) | `refused::a_new_round_…` |
//! | 13 | the time of uploads (`answer`) | `guards::too_late_locked_…` |
//! | 13 | locked, or declined, since it was charged or first asked (`answer`) | `guards::too_late_locked_…`, `refused::a_second_survivor_set_…` |
//! | 13 | the round's state at an upload (`collect`) | `ends::too_few_uploads_…` |
//! | 13 | the time of an upload (`collect`) | `guards::the_coordinator_…` |
//! | 14 | whose upload (`collect`) | `refused::manifests_that_…` |
//! | 14, 16 | another upload, vote, set, complaint or sum than asked for (`collect`, `seats`) | `guards::the_coordinator_…` |
//! | 17 | the time of a seat's words; the lock (`seat::look`) | `guards::too_late_locked_…` |
//! | 17 | keys in their time (`seat::destroy_old`) | `refused::seat_keys_are_destroyed` |
//! | 17 | keys destroyed at every turn (`link::pool`) | `tls::a_round_with_…` |
//! | 20 | sums given again as they were (`sums`) | `guards::a_certificate_alone_…` |
//! | 22 | a seat's key from another, or a second one (`coordinator: list`) | `guards::the_coordinator_…` |
//! | 1, 2, 11 | the seat's own clock before a void vote (`void`) | `voids::a_dead_round_is_voided_and_…` |
//! | 1, 2, 11 | no void vote after a certificate (`ballot`) | `voids::a_set_and_a_void_exclude_…` |
//! | 1, 2, 11 | no vote for a set after a void (`ballot`) | `voids::seats_do_nothing_for_a_voided_round` |
//! | 1, 2, 11 | no certificate, so no sums, after a void (`families`) | `voids::seats_do_nothing_for_a_voided_round` |
//! | 1, 2, 11 | no credit after a certificate (`ledger::credit`) | `voids::a_set_and_a_void_exclude_…` |
//! | 1, 2, 11 | votes of a void certificate (`ledger::credit`) | `voids::false_void_certificates_are_refused` |
//! | 1, 2, 11 | no credit of rounds before a burning (`ledger::credit`) | `voids::a_restored_hospital_takes_…` |
//! | 1, 2, 11 | the upload is wiped (`ledger::credit`) | `voids::a_dead_round_is_voided_and_…` |
//! | 1, 2, 11 | a start ends older receipts (`receipts::begin`) | both of `restored` |
//! | 1, 2, 11 | rounds of before a burning (`receipts::hold`) | both of `restored` |
//!
//! Four stand beside another that refuses the same, so no test fails without them alone: the stored
//! upload (`answer`; the ledger's row gives the same bytes), a key's end (`seat::look`; no manifest's
//! last moment lies behind it), n_min at closing (`advance`; the set itself is checked), and the seat's
//! rollback check at the ballot (`seat::ballot`; `look` asks before it). No test here runs the comparison
//! of logs before the first look (`link::pool`).

mod alliance;
mod asks;
mod complaints;
mod crashes;
mod ends;
mod families;
mod guards;
mod killed;
mod noise;
mod operator;
mod parts;
mod pool;
mod refused;
mod restored;
mod rounds;
mod tls;
mod together;
mod voids;
mod wholes;

use self::asks::order;
pub(crate) use self::asks::{accept, ask, ask_at, step};
pub(crate) use self::pool::{Party, Pool, app, lines, opened};
use self::pool::{SEATS, party};
use crate::hospital::NOW;
