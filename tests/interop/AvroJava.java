// AvroJava.java -- what Avro's Java library makes of schemas, for avro_java_test.py: each line of its input asks, one
// line answers.  avro_answers.c answers the same with lib/schema, and tells what the questions are.

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.util.ArrayList;
import java.util.List;
import org.apache.avro.NameValidator;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaNormalization;

import static java.nio.charset.StandardCharsets.UTF_8;

@SuppressWarnings("deprecation") // of what registries use
public class AvroJava {
	private static final ObjectMapper json = new ObjectMapper();

	private static Schema parse(JsonNode text, List<Schema> references, boolean strict) {
		Schema.Parser parser =
		    new Schema.Parser(strict ? NameValidator.STRICT_VALIDATOR : NameValidator.UTF_VALIDATOR);
		parser.setValidateDefaults(strict);
		for (Schema reference : references)
			parser.parse(reference.toString());
		return parser.parse(text.asText());
	}

	private static List<Schema> references(JsonNode question) {
		List<Schema> all = new ArrayList<>();
		for (JsonNode text : question.path("refs"))
			all.add(parse(text, all, false));
		return all;
	}

	private static void read(JsonNode question, ObjectNode answer) {
		List<Schema> references = references(question);
		Schema schema = parse(question.get("text"), references, question.get("strict").asBoolean());
		answer.put("text", schema.toString(references, false));
		answer.put("resolved", schema.toString());
		answer.put("canonical", SchemaNormalization.toParsingForm(schema));
		answer.put("rabin", Long.toHexString(SchemaNormalization.parsingFingerprint64(schema)));
	}

	private static void compare(JsonNode question, ObjectNode answer) {
		Schema reader = parse(question.get("reader"), List.of(), false);
		Schema writer = parse(question.get("writer"), List.of(), false);
		answer.put("equal", reader.equals(writer));
		ArrayNode conflicts = answer.putArray("conflicts");
		SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getResult().getIncompatibilities().forEach(
		    found -> conflicts.addArray().add(found.getType().name()).add(found.getMessage()).add(found.getLocation()));
	}

	/** A question whose answer is an exception: its words, and whether what it tells of is JSON itself. */
	private static ObjectNode answer(JsonNode question) {
		ObjectNode answer = json.createObjectNode();
		try {
			if (question.has("text"))
				read(question, answer);
			else
				compare(question, answer);
		} catch (RuntimeException | StackOverflowError broken) {
			answer.removeAll();
			answer.put("error", broken.getMessage());
			answer.put("class", broken.getClass().getSimpleName());
			answer.put("json", broken.getCause() instanceof JsonProcessingException);
		}
		return answer;
	}

	public static void main(String[] arguments) throws Exception {
		BufferedReader in = new BufferedReader(new InputStreamReader(System.in, UTF_8));
		BufferedWriter out = new BufferedWriter(new OutputStreamWriter(System.out, UTF_8));
		for (String line; (line = in.readLine()) != null;) {
			out.write(json.writeValueAsString(answer(json.readTree(line))));
			out.newLine();
			if (!in.ready())
				out.flush();
		}
		out.flush();
	}
}
