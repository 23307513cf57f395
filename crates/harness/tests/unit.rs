//! The unit tests, which are in `src` beside what they test.

macro_rules! tests {
    ($(($($module:ident)::+) $($name:ident)+;)+) => {
        $($(#[test]
        fn $name() {
            harness::unit_test(stringify!($name)).expect("the list is the same")();
        })+)+
    };
}

harness::unit_tests!(tests);
