// Clients.java -- Apache Kafka's Java clients against a broker: producer, consumer, admin client, transactions.
//
//	java -cp JARS Clients.java HOST:PORT
//
// Says what each test came to and ends with "N passed, N failed", as the other test programs do.  It compiles with
// clients of 3.9 and of 4.x.

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

@SuppressWarnings({"deprecation", "removal"}) // of calls that the older clients have no others for
public class Clients {
	private static final Duration STEP = Duration.ofMillis(20);
	private static final Duration SOON = Duration.ofSeconds(20);
	private static final String EAGER = RangeAssignor.class.getName();
	private static final String COOPERATIVE = CooperativeStickyAssignor.class.getName();

	private static String address;
	private static Admin admin;

	private interface Test {
		void run() throws Exception;
	}

	// ---- what is asserted ----

	private static void same(String what, Object got, Object wanted) {
		if (!wanted.equals(got))
			throw new AssertionError(what + ": got " + got + ", wanted " + wanted);
	}

	private static void isTrue(String what, boolean condition) {
		if (!condition)
			throw new AssertionError("not so: " + what);
	}

	private interface Value {
		Object get() throws Exception;
	}

	/** The same of what comes to be so: a broker of Kafka's does some things after its answer. */
	private static void becomes(String what, Value value, Object wanted) throws Exception {
		long end = System.nanoTime() + SOON.toNanos();
		while (!wanted.equals(value.get()) && System.nanoTime() < end)
			Thread.sleep(STEP.toMillis());
		same(what, value.get(), wanted);
	}

	/** Asserts that the call fails for this reason, and returns it. */
	private static <T extends Throwable> T refused(Class<T> reason, Test call) throws Exception {
		try {
			call.run();
		} catch (Throwable thrown) {
			for (Throwable t = thrown; t != null; t = t.getCause())
				if (reason.isInstance(t))
					return reason.cast(t);
			throw new AssertionError("wanted " + reason.getSimpleName(), thrown);
		}
		throw new AssertionError("was not refused: wanted " + reason.getSimpleName());
	}

	// ---- clients ----

	private static Properties settings(String... pairs) {
		Properties p = new Properties();
		p.put("bootstrap.servers", address);
		for (int i = 0; i < pairs.length; i += 2)
			p.put(pairs[i], pairs[i + 1]);
		return p;
	}

	private static KafkaProducer<String, String> producer(String... pairs) {
		return new KafkaProducer<>(settings(pairs), new StringSerializer(), new StringSerializer());
	}

	private static KafkaConsumer<String, String> consumer(String... pairs) {
		Properties p = settings("auto.offset.reset", "earliest", "enable.auto.commit", "false", "heartbeat.interval.ms", "200");
		p.putAll(settings(pairs));
		return new KafkaConsumer<>(p, new StringDeserializer(), new StringDeserializer());
	}

	private static KafkaConsumer<String, String> member(String group, String topic, Listener listener, String... pairs) {
		String[] all = Arrays.copyOf(pairs, pairs.length + 2);
		all[pairs.length] = "group.id";
		all[pairs.length + 1] = group;
		KafkaConsumer<String, String> c = consumer(all);
		c.subscribe(List.of(topic), listener);
		return c;
	}

	private static String topic(String name, int partitions, String... configs) throws Exception {
		Map<String, String> map = new HashMap<>();
		for (int i = 0; i < configs.length; i += 2)
			map.put(configs[i], configs[i + 1]);
		admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1).configs(map))).all().get();
		return name;
	}

	private static List<RecordMetadata> send(Producer<String, String> p, String topic, int partition, String... values)
		throws Exception {
		List<Future<RecordMetadata>> futures = new ArrayList<>();
		for (String value : values)
			futures.add(p.send(new ProducerRecord<>(topic, partition, null, value)));
		List<RecordMetadata> told = new ArrayList<>();
		for (Future<RecordMetadata> future : futures)
			told.add(future.get());
		return told;
	}

	private static void fill(String topic, int partition, String... values) throws Exception {
		try (KafkaProducer<String, String> p = producer()) {
			send(p, topic, partition, values);
		}
	}

	/** Polls all of them by turns until the condition is met; returns what they have read. */
	private static List<String> poll(String what, BooleanSupplier condition, Collection<KafkaConsumer<String, String>> all) {
		List<String> values = new ArrayList<>();
		long end = System.nanoTime() + SOON.toNanos();
		while (!condition.getAsBoolean()) {
			if (System.nanoTime() > end)
				throw new AssertionError("not in time: " + what + "; read " + values);
			for (KafkaConsumer<String, String> c : all)
				c.poll(STEP).forEach(r -> values.add(r.value()));
		}
		return values;
	}

	/** What the consumer reads until it has so many values. */
	private static List<String> read(KafkaConsumer<String, String> c, int number) {
		List<String> values = new ArrayList<>();
		long end = System.nanoTime() + SOON.toNanos();
		while (values.size() < number && System.nanoTime() < end)
			c.poll(STEP).forEach(r -> values.add(r.value()));
		same("number of records of " + values, values.size(), number);
		return values;
	}

	/** All that is in a partition, at this isolation. */
	private static List<String> contents(String topic, String isolation) {
		TopicPartition at = new TopicPartition(topic, 0);
		try (KafkaConsumer<String, String> c = consumer("isolation.level", isolation)) {
			c.assign(List.of(at));
			c.seekToBeginning(List.of(at));
			long end = c.endOffsets(List.of(at)).get(at);
			List<String> values = new ArrayList<>();
			long late = System.nanoTime() + SOON.toNanos();
			while (c.position(at) < end && System.nanoTime() < late)
				c.poll(STEP).forEach(r -> values.add(r.value()));
			isTrue("all was read up to " + end, c.position(at) >= end);
			return values;
		}
	}

	/** What a member was told: how often of what. */
	private static class Listener implements ConsumerRebalanceListener {
		final Set<Integer> assigned = new TreeSet<>();
		final Set<Integer> revoked = new TreeSet<>();

		@Override
		public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
			partitions.forEach(p -> assigned.add(p.partition()));
		}

		@Override
		public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
			partitions.forEach(p -> { assigned.remove(p.partition()); revoked.add(p.partition()); });
		}
	}

	/** Whether the listeners' members share so many partitions, each of them alone, and evenly. */
	private static boolean shared(int partitions, Listener... listeners) {
		List<Integer> all = new ArrayList<>();
		for (Listener l : listeners) {
			if (l.assigned.size() != partitions / listeners.length)
				return false;
			all.addAll(l.assigned);
		}
		return all.size() == partitions && new HashSet<>(all).size() == partitions;
	}

	// ---- producer ----

	private static void producerByDefault() throws Exception {
		topic("produced", 3);
		Map<String, Long> sent = new HashMap<>();
		try (KafkaProducer<String, String> p = producer()) {
			Map<Integer, Long> next = new HashMap<>();
			for (int i = 0; i < 1000; i++)
				sent.put("value " + i, 0L);
			List<Future<RecordMetadata>> futures = new ArrayList<>();
			for (int i = 0; i < 1000; i++) {
				ProducerRecord<String, String> record = new ProducerRecord<>("produced", "key " + i % 7, "value " + i);
				record.headers().add("number", Integer.toString(i).getBytes());
				futures.add(p.send(record));
			}
			for (Future<RecordMetadata> future : futures) {
				RecordMetadata told = future.get();
				same("offset in partition " + told.partition(), told.offset(), next.getOrDefault(told.partition(), 0L));
				next.put(told.partition(), told.offset() + 1);
			}
			same("partitions", p.partitionsFor("produced").size(), 3);
		}
		try (KafkaConsumer<String, String> c = member("produced", "produced", new Listener())) {
			Map<Integer, Integer> last = new HashMap<>();
			while (!sent.isEmpty())
				for (ConsumerRecord<String, String> r : c.poll(SOON)) {
					isTrue("sent once: " + r.value(), sent.remove(r.value()) != null);
					Header number = r.headers().lastHeader("number");
					int n = Integer.parseInt(new String(number.value()));
					same("the record of this header", r.value(), "value " + n);
					isTrue("in order", last.getOrDefault(r.partition(), -1) < n);
					last.put(r.partition(), n);
				}
		}
	}

	private static void producerCodecsAndAcks() throws Exception {
		String[] values = IntStream.range(0, 200).mapToObj(i -> "something to compress " + i).toArray(String[]::new);
		topic("codecs", 1);
		int number = 0;
		for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd"))
			for (String acks : List.of("0", "1", "all"))
				try (KafkaProducer<String, String> p = producer("compression.type", codec, "acks", acks, "linger.ms", "5",
						"enable.idempotence", Boolean.toString(acks.equals("all")))) {
					send(p, "codecs", 0, values);
					number += values.length;
				}
		try (KafkaConsumer<String, String> c = consumer()) {
			c.assign(List.of(new TopicPartition("codecs", 0)));
			List<String> got = read(c, number);
			for (int i = 0; i < number; i++)
				same("record " + i, got.get(i), values[i % values.length]);
		}
	}

	private static void producerLimits() throws Exception {
		topic("limits", 1);
		String large = "x".repeat(1000000);
		try (KafkaProducer<String, String> p = producer("max.request.size", "5000000")) {
			send(p, "limits", 0, large);
			refused(RecordTooLargeException.class, () -> send(p, "limits", 0, large + large));
		}
		same("what was stored", contents("limits", "read_uncommitted"), List.of(large));
		topic("keyed", 1, "cleanup.policy", "compact");
		try (KafkaProducer<String, String> p = producer()) {
			refused(InvalidRecordException.class, () -> send(p, "keyed", 0, "no key"));
			refused(InvalidTopicException.class, () -> p.send(new ProducerRecord<>("a b", "v")).get());
		}
	}

	// ---- consumer ----

	private static void consumerSeeks() throws Exception {
		topic("seeks", 1);
		TopicPartition at = new TopicPartition("seeks", 0);
		try (KafkaProducer<String, String> p = producer()) {
			for (int i = 0; i < 10; i++)
				p.send(new ProducerRecord<>("seeks", 0, 1000L * i, null, "v" + i)).get();
		}
		try (KafkaConsumer<String, String> c = consumer()) {
			c.assign(List.of(at));
			c.seek(at, 7);
			same("from 7", read(c, 3), List.of("v7", "v8", "v9"));
			same("lag", c.currentLag(at).orElse(-1), 0L);
			c.seekToBeginning(List.of(at));
			same("position at the beginning", c.position(at), 0L);
			c.seekToEnd(List.of(at));
			same("position at the end", c.position(at), 10L);
			same("beginning and end", List.of(c.beginningOffsets(List.of(at)).get(at), c.endOffsets(List.of(at)).get(at)),
				List.of(0L, 10L));
			for (long[] wanted : new long[][] {{0, 0}, {1, 1}, {1000, 1}, {1001, 2}, {9000, 9}})
				same("offset of time " + wanted[0], c.offsetsForTimes(Map.of(at, wanted[0])).get(at).offset(), wanted[1]);
			isTrue("no offset after all", c.offsetsForTimes(Map.of(at, 9001L)).get(at) == null);
			c.seek(at, 4);
			c.pause(List.of(at));
			isTrue("nothing while it is paused", c.poll(STEP).isEmpty());
			c.resume(List.of(at));
			same("after it", read(c, 6).get(0), "v4");
			isTrue("it is listed", c.listTopics().containsKey("seeks"));
		}
		try (KafkaConsumer<String, String> c = consumer("auto.offset.reset", "none", "group.id", "seeks")) {
			c.assign(List.of(at));
			refused(NoOffsetForPartitionException.class, () -> poll("", () -> false, List.of(c)));
			c.seek(at, 100);
			refused(org.apache.kafka.clients.consumer.OffsetOutOfRangeException.class, () -> poll("", () -> false, List.of(c)));
		}
	}

	private static void consumerCommits() throws Exception {
		topic("commits", 2);
		TopicPartition at = new TopicPartition("commits", 0);
		fill("commits", 0, "a", "b", "c");
		try (KafkaConsumer<String, String> c = member("commits", "commits", new Listener())) {
			read(c, 3);
			c.commitSync(Map.of(at, new OffsetAndMetadata(2, Optional.of(0), "note")));
		}
		try (KafkaConsumer<String, String> c = member("commits", "commits", new Listener())) {
			OffsetAndMetadata told = c.committed(Set.of(at)).get(at);
			same("what was committed", List.of(told.offset(), told.metadata(), told.leaderEpoch()), List.of(2L, "note", Optional.of(0)));
			same("from there", read(c, 1), List.of("c"));
			boolean[] done = {false};
			c.commitAsync((offsets, error) -> done[0] = error == null);
			poll("the commit", () -> done[0], List.of(c));
			same("what was committed then", c.committed(Set.of(at)).get(at).offset(), 3L);
			refused(OffsetMetadataTooLarge.class,
				() -> c.commitSync(Map.of(at, new OffsetAndMetadata(1, "x".repeat(5000)))));
		}
	}

	private static void consumerPattern() throws Exception {
		topic("pattern-a", 1);
		fill("pattern-a", 0, "a");
		try (KafkaConsumer<String, String> c = consumer("group.id", "pattern", "metadata.max.age.ms", "200")) {
			c.subscribe(Pattern.compile("pattern-[ab]"));
			same("of the first topic", read(c, 1), List.of("a"));
			c.commitSync();
			topic("pattern-b", 1);
			topic("pattern-c", 1);
			fill("pattern-b", 0, "b");
			fill("pattern-c", 0, "c");
			same("of the one that came", read(c, 1), List.of("b"));
			same("subscription", new TreeSet<>(c.subscription()), new TreeSet<>(Set.of("pattern-a", "pattern-b")));
		}
	}

	// ---- groups ----

	private static void groupOfMany(String topic, String assignor) throws Exception {
		topic(topic, 6);
		Listener[] l = {new Listener(), new Listener(), new Listener()};
		List<KafkaConsumer<String, String>> all = new ArrayList<>();
		String[] how = {"partition.assignment.strategy", assignor};
		all.add(member(topic, topic, l[0], how));
		poll("one has all", () -> shared(6, l[0]), all);
		all.add(member(topic, topic, l[1], how));
		all.add(member(topic, topic, l[2], how));
		poll("three share", () -> shared(6, l), all);
		// Cooperatively, a member keeps what it may keep; else it gives all away first.
		same("what the first had to give away", l[0].revoked.size(), assignor.equals(COOPERATIVE) ? 4 : 6);
		for (int i = 0; i < 6; i++)
			fill(topic, i, "to " + i);
		Set<String> got = new TreeSet<>();
		poll("each has read its own", () -> {
			for (KafkaConsumer<String, String> c : all)
				c.poll(STEP).forEach(r -> got.add(r.value()));
			return got.size() == 6;
		}, List.of());
		all.forEach(KafkaConsumer::commitSync);
		all.remove(0).close();
		poll("two share", () -> shared(6, l[1], l[2]), all);
		all.forEach(KafkaConsumer::close);
		Map<TopicPartition, OffsetAndMetadata> offsets = admin.listConsumerGroupOffsets(topic).partitionsToOffsetAndMetadata().get();
		same("what was committed", offsets.values().stream().mapToLong(OffsetAndMetadata::offset).sum(), 6L);
	}

	private static void groupOfStaticMembers() throws Exception {
		topic("static", 2);
		String[] first = {"group.instance.id", "first"}, second = {"group.instance.id", "second"};
		Listener a = new Listener(), b = new Listener(), again = new Listener();
		KafkaConsumer<String, String> one = member("static", "static", a, first), two = member("static", "static", b, second);
		poll("two share", () -> shared(2, a, b), List.of(one, two));
		int generation = one.groupMetadata().generationId();
		a.revoked.clear();
		Set<Integer> had = new TreeSet<>(b.assigned);
		two.close();
		KafkaConsumer<String, String> back = member("static", "static", again, second);
		poll("it has what it had", () -> again.assigned.equals(had), List.of(one, back));
		same("the generation", back.groupMetadata().generationId(), generation);
		isTrue("the other was not troubled", a.revoked.isEmpty());
		KafkaConsumer<String, String> twin = member("static", "static", new Listener(), second);
		refused(FencedInstanceIdException.class, () -> poll("", () -> false, List.of(twin, back)));
		admin.removeMembersFromConsumerGroup("static", new RemoveMembersFromConsumerGroupOptions(
			List.of(new MemberToRemove("first"), new MemberToRemove("second")))).all().get();
		same("members", admin.describeConsumerGroups(List.of("static")).all().get().get("static").members().size(), 0);
		for (KafkaConsumer<String, String> c : List.of(one, back, twin))
			c.close(Duration.ZERO);
	}

	// ---- admin client ----

	private static void adminTopics() throws Exception {
		CreateTopicsResult made = admin.createTopics(List.of(new NewTopic("admin-a", Optional.of(2), Optional.empty()),
			new NewTopic("admin-b", Map.of(0, List.of(1), 1, List.of(1), 2, List.of(1)))));
		same("partitions of the answer", made.numPartitions("admin-b").get(), 3);
		same("a setting of the answer", made.config("admin-a").get().get("cleanup.policy").value(), "delete");
		refused(TopicExistsException.class, () -> topic("admin-a", 1));
		refused(InvalidPartitionsException.class, () -> topic("admin-x", 0));
		refused(InvalidConfigurationException.class, () -> topic("admin-x", 1, "retention.ms", "many"));
		admin.createTopics(List.of(new NewTopic("admin-x", 1, (short) 1)), new CreateTopicsOptions().validateOnly(true)).all().get();
		Set<String> names = admin.listTopics().names().get();
		isTrue("they are listed", names.containsAll(Set.of("admin-a", "admin-b")) && !names.contains("admin-x"));
		Map<String, TopicDescription> told = admin.describeTopics(List.of("admin-a", "admin-b"),
			new DescribeTopicsOptions().includeAuthorizedOperations(true)).allTopicNames().get();
		same("partitions", told.get("admin-a").partitions().size(), 2);
		isTrue("what may be done is told", told.get("admin-a").authorizedOperations().size() > 3);
		Uuid id = told.get("admin-b").topicId();
		same("by id", admin.describeTopics(TopicCollection.ofTopicIds(List.of(id))).allTopicIds().get().get(id).name(),
			"admin-b");
		admin.createPartitions(Map.of("admin-a", NewPartitions.increaseTo(5))).all().get();
		same("more partitions", admin.describeTopics(List.of("admin-a")).allTopicNames().get().get("admin-a").partitions().size(), 5);
		refused(InvalidPartitionsException.class, () -> admin.createPartitions(Map.of("admin-a", NewPartitions.increaseTo(2))).all().get());
		admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all().get();
		refused(UnknownTopicOrPartitionException.class, () -> admin.describeTopics(List.of("admin-b")).allTopicNames().get());
		refused(UnknownTopicOrPartitionException.class, () -> admin.deleteTopics(List.of("admin-b")).all().get());
	}

	private static void adminConfigs() throws Exception {
		ConfigResource of = new ConfigResource(ConfigResource.Type.TOPIC, topic("admin-configs", 1));
		ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "1");
		admin.incrementalAlterConfigs(Map.of(of, List.of(
			new AlterConfigOp(new ConfigEntry("retention.ms", "1234"), AlterConfigOp.OpType.SET),
			new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.APPEND)))).all().get();
		becomes("what was set", () -> admin.describeConfigs(List.of(of)).all().get().get(of).get("retention.ms").value(), "1234");
		Config told = admin.describeConfigs(List.of(of), new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true))
			.all().get().get(of);
		same("from where", told.get("retention.ms").source(), ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG);
		same("of which type", told.get("retention.ms").type(), ConfigEntry.ConfigType.LONG);
		same("what was appended", told.get("cleanup.policy").value(), "delete,compact");
		isTrue("it is explained", told.get("retention.ms").documentation() != null);
		admin.incrementalAlterConfigs(Map.of(of, List.of(
			new AlterConfigOp(new ConfigEntry("retention.ms", ""), AlterConfigOp.OpType.DELETE)))).all().get();
		becomes("the default again", () -> admin.describeConfigs(List.of(of)).all().get().get(of).get("retention.ms").isDefault(), true);
		refused(InvalidConfigurationException.class, () -> admin.incrementalAlterConfigs(Map.of(of, List.of(
			new AlterConfigOp(new ConfigEntry("retention.ms", "many"), AlterConfigOp.OpType.SET)))).all().get());
		isTrue("the broker's are told", admin.describeConfigs(List.of(broker)).all().get().get(broker).get("log.dirs") != null);
	}

	private static void adminCluster() throws Exception {
		DescribeClusterResult told = admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true));
		same("nodes", told.nodes().get().stream().map(n -> n.id() + "@" + n.host() + ":" + n.port()).collect(Collectors.toList()),
			List.of("1@" + address));
		same("length of the cluster's id", told.clusterId().get().length(), 22);
		same("controller", told.controller().get().id(), 1);
		isTrue("what may be done is told", told.authorizedOperations().get().size() > 3);
		topic("admin-dirs", 1);
		fill("admin-dirs", 0, "x".repeat(5000));
		Map<String, LogDirDescription> dirs = admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1);
		long size = dirs.values().iterator().next().replicaInfos().get(new TopicPartition("admin-dirs", 0)).size();
		isTrue("a size of 5000 and a little more: " + size, size > 5000 && size < 5200);
	}

	private static void adminOffsets() throws Exception {
		TopicPartition at = new TopicPartition(topic("admin-offsets", 1), 0);
		try (KafkaProducer<String, String> p = producer()) {
			for (long ms : new long[] {1000, 3000, 2000})
				p.send(new ProducerRecord<>("admin-offsets", 0, ms, null, "v")).get();
		}
		Map<OffsetSpec, Long> wanted = Map.of(OffsetSpec.earliest(), 0L, OffsetSpec.latest(), 3L, OffsetSpec.maxTimestamp(), 1L,
			OffsetSpec.forTimestamp(2000), 1L, OffsetSpec.forTimestamp(5000), -1L, OffsetSpec.earliestLocal(), 0L);
		for (Map.Entry<OffsetSpec, Long> e : wanted.entrySet())
			same("offset of " + e.getKey().getClass().getSimpleName(), admin.listOffsets(Map.of(at, e.getKey())).partitionResult(at).get().offset(),
				e.getValue());
		same("low watermark", admin.deleteRecords(Map.of(at, RecordsToDelete.beforeOffset(2))).lowWatermarks().get(at).get().lowWatermark(), 2L);
		same("earliest", admin.listOffsets(Map.of(at, OffsetSpec.earliest())).partitionResult(at).get().offset(), 2L);
		refused(OffsetOutOfRangeException.class, () -> admin.deleteRecords(Map.of(at, RecordsToDelete.beforeOffset(9))).all().get());
	}

	private static void adminGroups() throws Exception {
		topic("admin-groups", 2);
		TopicPartition at = new TopicPartition("admin-groups", 0);
		Listener l = new Listener();
		try (KafkaConsumer<String, String> c = member("admin-group", "admin-groups", l, "client.id", "watched")) {
			poll("it has all", () -> shared(2, l), List.of(c));
			ConsumerGroupDescription told = admin.describeConsumerGroups(List.of("admin-group"),
				new DescribeConsumerGroupsOptions().includeAuthorizedOperations(true)).all().get().get("admin-group");
			same("state", told.state().toString(), "Stable");
			same("assignor", told.partitionAssignor(), "range");
			MemberDescription member = told.members().iterator().next();
			same("client", member.clientId(), "watched");
			same("assignment", member.assignment().topicPartitions().size(), 2);
			isTrue("what may be done is told", told.authorizedOperations().size() >= 3);
			isTrue("it is listed", admin.listConsumerGroups().all().get().stream().anyMatch(g -> g.groupId().equals("admin-group")));
			refused(GroupNotEmptyException.class, () -> admin.deleteConsumerGroups(List.of("admin-group")).all().get());
			c.commitSync(Map.of(at, new OffsetAndMetadata(0)));
			refused(GroupSubscribedToTopicException.class,
				() -> admin.deleteConsumerGroupOffsets("admin-group", Set.of(at)).all().get());
			refused(UnknownMemberIdException.class,
				() -> admin.alterConsumerGroupOffsets("admin-group", Map.of(at, new OffsetAndMetadata(1))).all().get());
		}
		admin.alterConsumerGroupOffsets("admin-group", Map.of(at, new OffsetAndMetadata(0, "altered"))).all().get();
		same("altered", admin.listConsumerGroupOffsets("admin-group").partitionsToOffsetAndMetadata().get().get(at).metadata(), "altered");
		admin.deleteConsumerGroupOffsets("admin-group", Set.of(at)).all().get();
		isTrue("deleted", admin.listConsumerGroupOffsets("admin-group").partitionsToOffsetAndMetadata().get().get(at) == null);
		admin.deleteConsumerGroups(List.of("admin-group")).all().get();
		refused(GroupIdNotFoundException.class, () -> admin.deleteConsumerGroups(List.of("admin-group")).all().get());
	}

	// ---- transactions ----

	private static KafkaProducer<String, String> transactional(String id, String... pairs) {
		String[] all = Arrays.copyOf(pairs, pairs.length + 2);
		all[pairs.length] = "transactional.id";
		all[pairs.length + 1] = id;
		KafkaProducer<String, String> p = producer(all);
		p.initTransactions();
		return p;
	}

	private static void transactionsCommitAndAbort() throws Exception {
		topic("tx", 1);
		try (KafkaProducer<String, String> p = transactional("tx")) {
			p.beginTransaction();
			send(p, "tx", 0, "a", "b");
			same("committed meanwhile", contents("tx", "read_committed"), List.of());
			same("written meanwhile", contents("tx", "read_uncommitted"), List.of("a", "b"));
			p.commitTransaction();
			becomes("committed", () -> contents("tx", "read_committed"), List.of("a", "b"));
			p.beginTransaction();
			send(p, "tx", 0, "c");
			p.abortTransaction();
			for (String next : List.of("d", "e")) {
				p.beginTransaction();
				send(p, "tx", 0, next);
				p.commitTransaction();
			}
		}
		fill("tx", 0, "f");
		becomes("committed in all", () -> contents("tx", "read_committed"), List.of("a", "b", "d", "e", "f"));
		same("written in all", contents("tx", "read_uncommitted"), List.of("a", "b", "c", "d", "e", "f"));
	}

	private static void transactionsOfOffsets() throws Exception {
		topic("tx-in", 1);
		topic("tx-out", 1);
		TopicPartition at = new TopicPartition("tx-in", 0);
		fill("tx-in", 0, "1", "2", "3");
		try (KafkaConsumer<String, String> c = member("tx-group", "tx-in", new Listener(), "isolation.level", "read_committed");
				KafkaProducer<String, String> p = transactional("tx-offsets")) {
			for (boolean commit : new boolean[] {false, true}) {
				List<String> got = read(c, 3);
				p.beginTransaction();
				for (String value : got)
					send(p, "tx-out", 0, "of " + value);
				for (int offset = 1; offset <= 3; offset++)
					p.sendOffsetsToTransaction(Map.of(at, new OffsetAndMetadata(offset)), c.groupMetadata());
				if (commit) {
					p.commitTransaction();
				} else {
					p.abortTransaction();
					isTrue("nothing is committed", c.committed(Set.of(at)).get(at) == null);
					c.seekToBeginning(List.of(at));
				}
			}
			becomes("the offset", () -> c.committed(Set.of(at)).get(at).offset(), 3L);
			becomes("the results", () -> contents("tx-out", "read_committed"), List.of("of 1", "of 2", "of 3"));
			p.beginTransaction();
			refused(CommitFailedException.class, () -> p.sendOffsetsToTransaction(Map.of(at, new OffsetAndMetadata(9)),
				new ConsumerGroupMetadata("tx-group", 77, "nobody", Optional.empty())));
			p.abortTransaction();
		}
	}

	private static void transactionsFence() throws Exception {
		topic("tx-fence", 1);
		KafkaProducer<String, String> old = transactional("tx-fence");
		old.beginTransaction();
		send(old, "tx-fence", 0, "of the old one");
		try (KafkaProducer<String, String> fresh = transactional("tx-fence")) {
			fresh.beginTransaction();
			send(fresh, "tx-fence", 0, "of the new one");
			refused(ProducerFencedException.class, old::commitTransaction);
			fresh.commitTransaction();
		}
		old.close(Duration.ZERO);
		becomes("committed", () -> contents("tx-fence", "read_committed"), List.of("of the new one"));
		try (KafkaProducer<String, String> p = transactional("tx-fence")) {
			admin.fenceProducers(List.of("tx-fence")).all().get();
			p.beginTransaction();
			// Which of its kinds depends on the client's version.
			refused(KafkaException.class, () -> { send(p, "tx-fence", 0, "fenced by an administrator"); p.commitTransaction(); });
		}
		becomes("committed then", () -> contents("tx-fence", "read_committed"), List.of("of the new one"));
	}

	private static void transactionsTimeOut() throws Exception {
		topic("tx-late", 1);
		try (KafkaProducer<String, String> p = transactional("tx-late", "transaction.timeout.ms", "1000")) {
			p.beginTransaction();
			send(p, "tx-late", 0, "too late");
			becomes("it is aborted", () -> admin.describeTransactions(List.of("tx-late")).description("tx-late").get().state(),
				TransactionState.COMPLETE_ABORT);
			refused(KafkaException.class, p::commitTransaction);
		}
		becomes("committed", () -> contents("tx-late", "read_committed"), List.of());
	}

	private static void transactionsDescribed() throws Exception {
		TopicPartition at = new TopicPartition(topic("tx-told", 1), 0);
		try (KafkaProducer<String, String> p = transactional("tx-told", "transaction.timeout.ms", "30000")) {
			p.beginTransaction();
			send(p, "tx-told", 0, "v");
			TransactionDescription told = admin.describeTransactions(List.of("tx-told")).description("tx-told").get();
			same("state", told.state(), TransactionState.ONGOING);
			same("partitions", told.topicPartitions(), Set.of(at));
			same("time that it may take", told.transactionTimeoutMs(), 30000L);
			isTrue("it is listed", admin.listTransactions(new ListTransactionsOptions().filterStates(Set.of(TransactionState.ONGOING)))
				.all().get().stream().anyMatch(t -> t.transactionalId().equals("tx-told")));
			ProducerState state = admin.describeProducers(List.of(at)).partitionResult(at).get().activeProducers().get(0);
			same("producer", state.producerId(), told.producerId());
			same("where it began", state.currentTransactionStartOffset().getAsLong(), 0L);
			p.commitTransaction();
		}
		refused(TransactionalIdNotFoundException.class, () -> admin.describeTransactions(List.of("tx-none")).all().get());
	}

	public static void main(String[] arguments) {
		Map<String, Test> tests = new TreeMap<>();
		tests.put("producer by default", Clients::producerByDefault);
		tests.put("producer: codecs and acks", Clients::producerCodecsAndAcks);
		tests.put("producer: limits", Clients::producerLimits);
		tests.put("consumer: seeks and times", Clients::consumerSeeks);
		tests.put("consumer: commits", Clients::consumerCommits);
		tests.put("consumer: pattern", Clients::consumerPattern);
		tests.put("group: eager", () -> groupOfMany("eager", EAGER));
		tests.put("group: cooperative", () -> groupOfMany("cooperative", COOPERATIVE));
		tests.put("group: static members", Clients::groupOfStaticMembers);
		tests.put("admin: topics", Clients::adminTopics);
		tests.put("admin: configs", Clients::adminConfigs);
		tests.put("admin: cluster", Clients::adminCluster);
		tests.put("admin: offsets", Clients::adminOffsets);
		tests.put("admin: groups", Clients::adminGroups);
		tests.put("transactions: commit and abort", Clients::transactionsCommitAndAbort);
		tests.put("transactions: offsets", Clients::transactionsOfOffsets);
		tests.put("transactions: fencing", Clients::transactionsFence);
		tests.put("transactions: time out", Clients::transactionsTimeOut);
		tests.put("transactions: described", Clients::transactionsDescribed);

		int passed = 0, failed = 0;
		address = arguments[0];
		admin = Admin.create(settings());
		for (Map.Entry<String, Test> test : tests.entrySet()) {
			long began = System.nanoTime();
			try {
				test.getValue().run();
				passed++;
				System.out.printf("ok %s (%.1f s)%n", test.getKey(), (System.nanoTime() - began) / 1e9);
			} catch (Throwable thrown) {
				failed++;
				System.out.println("FAIL: " + test.getKey());
				thrown.printStackTrace(System.out);
			}
		}
		System.out.printf("%d passed, %d failed%n", passed, failed);
		System.out.flush();
		Runtime.getRuntime().halt(failed == 0 ? 0 : 1);
	}
}
