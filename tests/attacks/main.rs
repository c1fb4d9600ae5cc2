//! Attacks that must fail. A relay that does whatever it wants, a member with a client of its own
//! making, one who was removed, and somebody with nothing but the meeting link, against honest
//! participants: each file is one attack.
//!
//! `world` is the relay and the honest ones, driven in memory through the library's public interface;
//! `own` and `rogue` are the attacker's client.

mod own;
mod papers;
mod rogue;
mod scene;
mod watching;
mod world;

mod relay_drops_and_reorders;
mod relay_holds_back_a_removal;
mod relay_injects_a_member;
mod relay_misdirects;
mod relay_pretends_to_be_the_host;
mod relay_replays;
mod relay_says_that_somebody_left;
mod relay_serves_an_old_room;
mod relay_shows_a_vigil_twice;
mod relay_splices_frames;
mod relay_splits_the_room;
mod relay_stands_between_a_comparison;
mod relay_swaps_welcomes;

mod co_host_reports_outcasts;

mod insider_changes_its_credential;
mod insider_claims_a_relay_id;
mod insider_comes_in_anew;
mod insider_commits;
mod insider_floods;
mod insider_forges_a_frame;
mod insider_forges_signatures;
mod insider_has_another_removed;
mod insider_knocks_as_someone_inside;
mod insider_oversizes_the_tree;
mod insider_plays_the_chair;
mod insider_proposes_an_external_sender;
mod insider_removes_the_host;
mod insider_replays_its_frames;

mod removed_answers_doors;
mod removed_comes_back;
mod removed_reads_on;
mod removed_takes_a_co_hosts_place;
mod removed_takes_the_host_along;

mod outsider_fills_the_lobby;
mod outsider_fills_the_stage;
mod outsider_learns_who_is_inside;
mod outsider_passes_the_lock;
mod outsider_reads;

mod viewer_turns_on_speakers;
