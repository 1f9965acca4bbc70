// WordCount.java -- counts words with Kafka Streams, exactly once, until it is killed.
//
//	java -cp JARS:CLASSES WordCount HOST:PORT FOLDER
//
// Reads lines from the topic "lines"; each word of one makes a record in "counts", how often it has been there.  FOLDER
// keeps what an instance knows, its id among it, so that the next one in its place goes on.

import java.util.Arrays;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;

public class WordCount {
	private static Properties settings(String address, String folder) {
		Properties p = new Properties();
		p.put(StreamsConfig.APPLICATION_ID_CONFIG, "words");
		p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, address);
		p.put(StreamsConfig.STATE_DIR_CONFIG, folder);
		p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
		p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0); // so that each update is a record
		p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
		p.put(StreamsConfig.REPARTITION_PURGE_INTERVAL_MS_CONFIG, 500);
		p.put(StreamsConfig.RECONNECT_BACKOFF_MS_CONFIG, 20);
		p.put(StreamsConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 200);
		p.put(StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), 2000);
		p.put(StreamsConfig.consumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), 300);
		p.put(StreamsConfig.producerPrefix(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG), 5000);
		p.put(StreamsConfig.topicPrefix(TopicConfig.SEGMENT_BYTES_CONFIG), 50000);
		p.put(StreamsConfig.topicPrefix(TopicConfig.MIN_CLEANABLE_DIRTY_RATIO_CONFIG), 0.01);
		return p;
	}

	public static void main(String[] arguments) {
		StreamsBuilder builder = new StreamsBuilder();
		builder.stream("lines", Consumed.with(Serdes.String(), Serdes.String()))
			.flatMapValues(line -> Arrays.asList(line.split(" ")))
			.groupBy((key, word) -> word, Grouped.with("by-word", Serdes.String(), Serdes.String()))
			.count(Materialized.as("counts"))
			.toStream()
			.to("counts", Produced.with(Serdes.String(), Serdes.Long()));
		KafkaStreams streams = new KafkaStreams(builder.build(), settings(arguments[0], arguments[1]));
		streams.setUncaughtExceptionHandler(thrown -> {
			thrown.printStackTrace();
			Runtime.getRuntime().halt(1);
			return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
		});
		streams.start();
	}
}
