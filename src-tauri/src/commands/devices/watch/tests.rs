use super::*;

#[test]
fn a_new_request_of_the_same_key_is_no_news_and_a_wider_one_is() {
    let mut waiting = Waiting::default();
    assert_eq!(waiting.take(list(&[("a", "1", "read")])), [news("a", "1", "read")]);

    assert_eq!(waiting.take(list(&[("a", "2", "read")])), []);
    assert_eq!(waiting.take(list(&[("a", "3", "admin")])), [news("a", "3", "admin")]);
}

#[test]
fn a_device_that_waits_no_longer_is_gone_once() {
    let mut waiting = Waiting::default();
    waiting.take(list(&[("a", "1", "read"), ("b", "1", "read")]));

    let gone = News::Gone { device_id: "a".to_owned(), name: "A phone".to_owned() };
    assert_eq!(waiting.take(list(&[("b", "1", "read")])), [gone]);
    assert_eq!(waiting.take(list(&[("b", "1", "read")])), []);
}

fn news(id: &str, request: &str, scope: &str) -> News {
    News::Waits(Box::new(device(id, request, scope)))
}

fn list(devices: &[(&str, &str, &str)]) -> DeviceList {
    let pending = devices.iter().map(|(id, request, scope)| device(id, request, scope)).collect();
    DeviceList { pending, paired: Vec::new(), expired: Vec::new() }
}

fn device(id: &str, request: &str, scope: &str) -> PendingDevice {
    PendingDevice {
        device_id: id.to_owned(),
        request_id: request.to_owned(),
        name: "A phone".to_owned(),
        platform: None,
        role: "operator".to_owned(),
        scopes: vec![scope.to_owned()],
        remote_ip: None,
        via_edge: None,
        is_repair: false,
        asked_at: None,
    }
}
