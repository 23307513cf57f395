//! The unit tests of this crate, which are compiled with it and not under `cfg(test)`: a second build of all that is
//! instantiated here would take as long as the first, minutes.

/// Hands the names of the unit tests, module by module, to a macro.
#[doc(hidden)]
#[macro_export]
macro_rules! unit_tests {
    ($to:ident) => {
        $to! {
            (cases::case)
                bits_tell_zeros_apart;
            (cases)
                a_failing_case_shrinks_to_the_smallest_and_its_command_replays_it
                inconclusive_cases_are_replaced_and_never_count
                nan_other_shapes_and_panics_fail
                every_claim_holds_in_small_integers;
            (check)
                a_panic_is_an_error_of_the_check
                an_error_above_the_bound_or_without_a_case_does_not_pass;
            (course::tally)
                each_rule_has_its_limit_and_nan_or_another_shape_never_agrees
                a_reference_of_zeros_allows_no_error;
            (course)
                archives_may_be_stored_or_deflated_in_either_order_and_precision
                a_wrong_result_fails_and_an_error_below_four_decimals_fails_strictly_alone
                what_the_course_accepts_passes
                a_file_that_is_missing_or_no_archive_is_an_error
                a_damaged_member_or_one_that_is_not_read_is_named
                arrays_that_are_missing_or_of_another_form_are_errors
                entries_that_fit_no_configuration_are_errors;
            (derivative)
                an_error_that_no_bound_sees_is_seen;
            (dual)
                the_field_is_one_and_doubles_lie_in_it
                slopes_follow_the_rules_of_calculus;
            (filter)
                names_parts_of_names_and_questions_select_those_of_the_course_first
                what_selects_nothing_lists_near_names;
            (finite_difference)
                a_right_gradient_passes_a_wrong_one_fails_and_the_rest_is_inconclusive
                two_zeros_agree_and_an_error_is_relative_to_the_largest_element;
            (foreign::explain)
                messages_are_alike_up_to_rounding_and_not_beyond;
            (foreign)
                each_name_that_decides_a_level_is_that_of_a_check;
            (gradcheck)
                every_layer_is_near_the_rounding_error_of_the_differences
                a_wrong_gradient_fails_even_where_the_norm_hides_it_and_so_does_nan;
            (oracle::listed)
                a_manifest_that_says_something_else_is_an_error
                a_declaration_takes_over_what_an_entry_says_and_padding_is_a_name_a_number_or_a_pair;
            (oracle)
                every_entry_is_compared
                without_the_manifest_nothing_passes;
            (registry)
                no_two_checks_have_the_same_name_and_each_bug_has_a_kind_that_catches_it
                twenty_five_checks_are_the_courses;
            (results)
                results_are_written_whole_or_an_error_says_where;
            (rooms::gelu::every_f32)
                vectors_change_no_bit
                errors_are_measured_at_the_ends_and_in_signs;
            (rooms::network::gradient)
                a_confident_network_is_inconclusive;
            (rooms)
                every_formula_sees_a_small_error_in_what_it_is_of
                a_small_error_in_either_pass_breaks_the_equality_of_adjoints
                a_small_error_in_any_result_breaks_a_proof
                every_claim_can_be_broken
                every_layer_has_all_that_a_layer_needs;
            (step_curve)
                the_error_falls_with_the_square_of_the_step_and_rises_with_its_reciprocal
                steps_that_reach_a_kink_are_left_out;
            (transcript)
                lines_are_those_of_unittest;
            (worked)
                every_tensor_is_complete_and_finite_and_belongs_to_its_example
                examples_that_were_worked_by_hand_come_out_so;
            (workspace)
                the_hash_depends_on_code_and_fixtures_alone;
        }
    };
}

macro_rules! table {
    ($(($($module:ident)::+) $($name:ident)+;)+) => {
        /// The unit test of this name.
        #[doc(hidden)]
        #[must_use]
        pub fn unit_test(wanted: &str) -> Option<fn()> {
            $({
                use crate::$($module)::+::tests::{$($name),+};
                $(if wanted == stringify!($name) {
                    return Some($name);
                })+
            })+
            None
        }
    };
}

unit_tests!(table);
