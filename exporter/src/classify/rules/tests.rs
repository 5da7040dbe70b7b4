use super::*;

#[test]
fn the_embedded_rules_keep_their_own_examples() {
    let rules = Rules::embedded();
    assert_eq!(rules.files().len(), 9);
    assert!(rules.files().iter().all(|file| !file.replaced && !file.verified.is_empty()));
}
