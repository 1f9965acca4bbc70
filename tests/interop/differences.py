"""differences -- where the daemon answers otherwise than Apache Kafka's broker, and why.

Rows of a pattern, searched for in "API: case: field Kafka X, Weir Y", and the reason.  docs/compatibility.md tells of
those that somebody may notice.
"""

DIFFERENCES = (
    # ---- of every API ----
    (r"error_message Kafka False, Weir True", "the daemon says why where the broker says nothing"),
    (r"find_coordinator: .*error_message Kafka True", "the broker's text for no error is NONE"),
    (r"(named|partition|topic|group|resource|of-\d|one) twice: ", "what is named twice is answered once, or refused where that changes something"),
    (r"describe_groups: twice: |delete_groups: twice: ", "what is named twice is answered once"),
    (r": no partition: (responses|topics)\[", "a topic of which nothing is asked is in the answer, with nothing"),
    (r"authorized_operations Kafka 3400, Weir 328", "groups have no settings here that could be described or altered"),

    # ---- frames ----
    (r"frame: a list of a negative length", "the broker reads any negative length as null, the daemon -1"),

    # ---- topics ----
    (r"metadata: created by asking", "the broker creates a topic after its answer, the daemon before"),
    (r"metadata: by (id|an unknown id|id and name|another's id and name): .*", "ids are looked up in versions 10 and 11, too, where the broker refuses the request"),
    (r"metadata: neither id nor name: ", "one topic is refused, not the request"),
    (r"describe_topic_partitions: .*topic_authorized_operations Kafka 3576", "what may be done with topics that are not there is not told"),
    (r"describe_topic_partitions: empty name: .*error_code", "the broker has no code for it but an unknown error"),
    (r"create_topics: only validated: .*topic_id", "a topic that was not made has no id"),
    (r"delete_topics: by name and its id", "a topic that is named in two ways is refused once more"),
    (r"configs\[min\.insync\.replicas\]", "with eligible leader replicas the broker sets it for the whole cluster by itself"),
    (r"configs\[message\.(format\.version|downconversion\.enable|timestamp\.difference\.max\.ms)\]",
     "settings of before 4.0 are taken, for old scripts"),
    (r"configs\[\] .*Kafka 33, Weir 36", "those settings"),

    # ---- produce ----
    (r"produce: length (0|-1): .*error_message", "what is corrupt is corrupt"),
    (r"produce: (less than a header|cut short|length 1073741824): .*error_code Kafka 87, Weir 2", "what is cut short is corrupt"),
    (r"produce: magic (3|-1): .*error_code Kafka 2, Weir 87", "an unknown format is invalid, not corrupt: sending it again does not mend it"),
    (r"produce: (records that are none|unknown codec.*|said to be (gzip|zstd)): .*error_code Kafka -1",
     "the broker has no code for it but an unknown error"),
    (r"produce: offsets (that skip|from 1 on): .*", "offsets within a batch that is not compressed are checked, too"),
    (r"produce: time of the broker's: ", "a producer can't claim that the broker has set the time"),
    (r"produce: .*log_start_offset Kafka 0, Weir -1", "an answer with an error does not tell where the log starts"),
    (r"produce: .*record_errors\[", "which record is wrong is told of every error that is one record's"),
    (r"produce: producer: (again|the one before, again): .*log_append_time", "of what was stored before, no time of append is told"),
    (r"produce: producer: negative epoch", "a negative epoch is invalid, not old"),

    # ---- fetch and offsets ----
    (r"fetch: of negative bytes: ", "a negative limit is one of nothing; a batch comes all the same"),
    (r"(fetch|list_offsets): unknown isolation: ", "an isolation that is unknown is read_uncommitted"),
    (r"fetch: as a replica: ", "there are no replicas: who says to be one reads as a consumer"),
    (r"fetch: (beyond the end|negative offset|of what was deleted): .*log_start_offset", "out of range, it is told where the log starts"),
    (r"fetch: of an epoch to come: .*aborted_transactions", "none, not null"),
    (r"fetch: read last in an epoch to come: ", "an epoch that was never is not looked for"),

    # ---- groups ----
    (r"list_groups: .*(groups\[\]|gr-bad)", "a join that is refused leaves no empty group, and a group without a name loses its offsets"),
    (r"(describe_groups|delete_groups): empty name: ", "a group without a name loses its offsets"),
    (r"offset_delete: empty group: ", "offsets of the group without a name, which can be committed, can be deleted"),
    (r"join_group: (unknown member|instance of a member unknown|static: of the first): member_id", "an error does not repeat the member's id"),
    (r"describe_groups: describe: an id was given: .*group_state", "a group is there when it has given an id"),
    (r"sync_group: no protocol: ", "versions from 5 on may leave out the protocol, as older ones do"),

    (r"consumer_group_heartbeat: unknown member( leaves)?: .*Kafka 69, Weir 25",
     "of a group that is not there, the member is told to join anew"),
    (r"consumer_group_heartbeat: of an older group: member_epoch|consumer_group_describe: group 'gr-9': .*epoch",
     "the epochs of a group that takes up the newer protocol go on from its generations"),
    (r"consumer_group_describe: .*subscribed_topic_regex Kafka , Weir None", "no pattern is null"),
    (r"consumer_group_describe: group '(cg-none)?': .*(group_state Kafka , Weir Dead|error_code Kafka 24, Weir 69)",
     "a group that is not there is Dead, one without a name, too"),
    (r"join_group: of the newer protocol: ", "members of the older protocol can't join a group of the newer one"),

    # ---- where partitions lie ----
    (r"elect_leaders: unknown type: ", "a type that is not there is refused, not taken for another"),

    # ---- transactions ----
    (r"find_coordinator: empty transaction", "no transaction has an empty id"),
    (r"init_producer_id: an (id|epoch) alone", "an id without an epoch, or an epoch without an id, is none"),
    (r"add_offsets_to_txn: empty group", "a group without a name can't be one of a transaction's"),
    (r"txn_offset_commit: (member of a group without|generation alone): .*Kafka 25, Weir 22",
     "of a group without members, it is the generation that is unknown"),
    (r"describe_transactions: open, with offsets: ", "offsets are not kept in a topic"),
    (r"describe_transactions: .*transaction_start_time_ms", "a transaction that has ended has no time of its start"),
    (r"describe_transactions: empty: .*error_code", "an empty id is one that is not there"),
    (r"describe_producers: unknown topic: .*error_message", "the code says it"),
    (r"describe_producers: impossible name: ", "a topic of an impossible name is one that is not there"),
    (r"list_transactions: open for long: ", "the broker lists those that were never begun"),

    (r"write_txn_markers: older epoch: .*Kafka -1, Weir 47", "the broker has no code for it but an unknown error"),
    (r"list_offsets: (committed behind that|aborted by a newer epoch): .*\[0\]\.offset Kafka 4, Weir 2",
     "where nothing is open, a marker is not written"),

    # ---- settings ----
    (r"describe_configs: broker.*read_only Kafka True, Weir False", "more settings can be altered at run time"),
    (r"describe_configs: .*configs\[node\.id\].*source", "the test gives it to the broker in its file"),
    (r"describe_configs: topic, with synonyms: .*configs\[(flush|retention|segment)\.ms\]\.synonyms",
     "the broker has its default under another name (log.retention.hours), or none"),
    (r"describe_configs: all brokers: ", "the setting that the broker sets by itself"),
    (r"alter_configs: empty topic: .*Kafka 42, Weir 17", "an empty name is an impossible one"),
    (r"incremental_alter_configs: unknown operation: .*Kafka -1", "the broker has no code for it but an unknown error"),
    (r"incremental_alter_configs: unknown setting of the broker: ", "an unknown setting is a mistake, always"),
    (r"incremental_alter_configs: impossible value of the broker: ", "an impossible value is an invalid configuration, of topics and brokers alike"),
)
