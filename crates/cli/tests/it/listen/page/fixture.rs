use cronofy_webhook_testing::Sender;

#[test]
fn change_1() {
    let body = include_bytes!("change-1.json");
    let delivery = Sender::new("CRN_test").delivery(&body[..]);
    assert_eq!(delivery.notification().kind(), "change");
}
