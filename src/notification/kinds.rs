use serde::{Serialize, Serializer};

use super::body::Body;
use super::{
    Authorization, Change, ConferencingProfileDisconnected, EventSubscription, GdprRequested,
    Notification, ProfileDisconnected, ProfileInitialSyncCompleted, RealTimeSchedulingCompleted,
    SchedulingConversationJoined, SchedulingConversationUpdated, SchedulingRequestTimeChosen,
    SmartInvite, UnknownReason, Verification,
};

/// What differs from kind to kind only by its name, from one list of them.
macro_rules! kinds {
    (tagged: $($tagged:ident)+; untagged: $($untagged:ident)+) => {
        impl Notification {
            /// Every kind that is modelled, as [`kind`](Self::kind) names it.
            ///
            /// ```
            /// use cronofy_webhook::Notification;
            ///
            /// assert!(Notification::KINDS.contains(&"change"));
            /// ```
            pub const KINDS: &'static [&'static str] =
                &[$($tagged::KIND,)+ $($untagged::KIND,)+];

            /// The kind in Cronofy's own word, `notification.type`: `"change"`, say.
            ///
            /// The two kinds that come without one have words of ours: `"authorization"` and
            /// `"real_time_scheduling_completed"`. `"unknown"` for a body of which nothing tells the kind.
            ///
            /// The word does not imply the variant: a [`Notification::Unknown`] whose `notification.type` is a known
            /// kind, and whose members are not as documented, has that kind's word. Match on the variant to handle a
            /// notification, and use the word to log and count.
            ///
            /// ```
            /// use cronofy_webhook::Notification;
            ///
            /// let malformed = Notification::from_slice(br#"{ "notification": { "type": "change" } }"#);
            /// assert_eq!(malformed.kind(), "change");
            /// assert!(matches!(malformed, Notification::Unknown(_)));
            /// ```
            #[must_use]
            pub fn kind(&self) -> &str {
                match self {
                    $(Self::$tagged(_) => $tagged::KIND,)+
                    $(Self::$untagged(_) => $untagged::KIND,)+
                    Self::Unknown(unknown) => unknown.kind().unwrap_or("unknown"),
                }
            }

            pub(super) fn read_tagged(kind: &str, body: &mut Body<'_>) -> Result<Self, UnknownReason> {
                match kind {
                    $($tagged::KIND => $tagged::read(body).map(Self::$tagged),)+
                    _ => Err(UnknownReason::UnknownType),
                }
            }
        }

        impl Serialize for Notification {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$tagged(notification) => notification.write(serializer),)+
                    $(Self::$untagged(notification) => notification.write(serializer),)+
                    Self::Unknown(unknown) => unknown.serialize(serializer),
                }
            }
        }
    };
}

kinds! {
    tagged:
        Verification
        Change
        ProfileDisconnected
        ConferencingProfileDisconnected
        ProfileInitialSyncCompleted
        GdprRequested
        SchedulingConversationJoined
        SchedulingConversationUpdated
        SmartInvite
        EventSubscription
        SchedulingRequestTimeChosen;
    untagged:
        RealTimeSchedulingCompleted
        Authorization
}
