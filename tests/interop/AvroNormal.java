// AvroNormal.java -- what Confluent's library makes of a schema that is to be normalized, for avro_java_test.py: each line
// of its input asks as AvroJava.java is asked, one line answers.  The library is the one in Flink's bundle, where its
// packages have other names.

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.avro.AvroSchema;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.databind.node.ObjectNode;

import static java.nio.charset.StandardCharsets.UTF_8;

public class AvroNormal {
	private static final ObjectMapper json = new ObjectMapper();

	private static ObjectNode answer(JsonNode question) {
		ObjectNode answer = json.createObjectNode();
		if (!question.path("normal").asBoolean())
			return answer;
		try {
			answer.put("normal", new AvroSchema(question.get("text").asText()).normalize().canonicalString());
		} catch (RuntimeException | StackOverflowError broken) {
			answer.put("error", broken.toString());
		}
		return answer;
	}

	public static void main(String[] arguments) throws Exception {
		BufferedReader in = new BufferedReader(new InputStreamReader(System.in, UTF_8));
		BufferedWriter out = new BufferedWriter(new OutputStreamWriter(System.out, UTF_8));
		for (String line; (line = in.readLine()) != null;) {
			out.write(json.writeValueAsString(answer(json.readTree(line))));
			out.newLine();
		}
		out.flush();
	}
}
