/// An event about a delivery.
macro_rules! about {
    ($level:ident, $subject:ident, $($fields_and_message:tt)+) => {
        $level!(
            target: TARGET,
            kind = $subject.kind,
            channel = $subject.channel,
            elapsed_ms = millis($subject.elapsed),
            $($fields_and_message)+
        )
    };
}

/// An event that is logged at warn level if the limiter admitted it, with how many it suppressed before.
macro_rules! limited {
    ($suppressed:ident, $($fields_and_message:tt)+) => {
        match $suppressed {
            Some(_) => warn!(target: TARGET, suppressed = $suppressed, $($fields_and_message)+),
            None => debug!(target: TARGET, $($fields_and_message)+),
        }
    };
}
