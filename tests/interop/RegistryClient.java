// RegistryClient.java -- Confluent's Java client of the registry, and what Flink frames Avro values by.
//
//	java -cp JARS RegistryClient.java URL FOLDER
//
// FOLDER: see ../e2e/registry_values.py.  The client is the one in Flink's bundle, where its packages have other names.

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.avro.AvroSchema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.SchemaMetadata;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.RestService;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.Config;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.Metadata;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.Schema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.SchemaReference;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericData;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumReader;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumWriter;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;
import org.apache.flink.avro.shaded.org.apache.avro.io.BinaryEncoder;
import org.apache.flink.avro.shaded.org.apache.avro.io.DecoderFactory;
import org.apache.flink.avro.shaded.org.apache.avro.io.EncoderFactory;
import org.apache.flink.formats.avro.registry.confluent.ConfluentSchemaRegistryCoder;

public class RegistryClient {
	private static final String ID = "{\"name\":\"id\",\"type\":\"long\"}";
	private static final String NOTE = ",{\"name\":\"note\",\"type\":\"string\",\"default\":\"\"}";
	private static final String OTHER = ",{\"name\":\"x\",\"type\":\"int\"}";

	private static String url;
	private static Path folder;

	private interface Test {
		void run() throws Exception;
	}

	private interface Call {
		Object run() throws Exception;
	}

	// ---- what is asserted ----

	private static void same(String what, Object got, Object wanted) {
		if (!wanted.equals(got))
			throw new AssertionError(what + ": got " + got + ", wanted " + wanted);
	}

	private static void refused(String what, int status, int code, String text, Call call) throws Exception {
		try {
			call.run();
		} catch (RestClientException error) {
			same(what + ": status", error.getStatus(), status);
			same(what + ": code", error.getErrorCode(), code);
			if (!error.getMessage().contains(text))
				throw new AssertionError(what + ": " + error.getMessage());
			return;
		}
		throw new AssertionError(what + " was not refused");
	}

	// ---- what is asked ----

	// One that knows nothing yet.
	private static SchemaRegistryClient client() {
		return new CachedSchemaRegistryClient(url, 100);
	}

	private static String event(String more) {
		return "{\"type\":\"record\",\"name\":\"Event\",\"namespace\":\"java\",\"fields\":[" + ID + more + "]}";
	}

	private static AvroSchema avro(String text) {
		return new AvroSchema(text);
	}

	private static void testRegistersAndFinds() throws Exception {
		int id = client().register("java-value", avro(event("")));
		SchemaMetadata latest = client().getLatestSchemaMetadata("java-value");

		same("id", client().register("java-value", avro(event(""))), id);
		same("schema", client().getSchemaById(id), avro(event("")));
		same("schema of the subject", client().getSchemaBySubjectAndId("java-value", id), avro(event("")));
		same("text", client().getSchemaById(id).canonicalString(), avro(event("")).canonicalString());
		same("id of the schema", client().getId("java-value", avro(event(""))), id);
		same("version of the schema", client().getVersion("java-value", avro(event(""))), 1);
		same("latest", List.of(latest.getId(), latest.getVersion(), latest.getSchemaType()), List.of(id, 1, "AVRO"));
		same("version 1", client().getSchemaMetadata("java-value", 1).getId(), id);
		same("versions", client().getAllVersions("java-value"), List.of(1));
		same("subjects by prefix", client().getAllSubjectsByPrefix("java-"), List.of("java-value"));
		same("subjects by id", List.copyOf(client().getAllSubjectsById(id)), List.of("java-value"));
		same("versions by id", client().getAllVersionsById(id).iterator().next().getSubject(), "java-value");
		same("schemas", client().getSchemas("java-", false, true), List.of(avro(event(""))));
	}

	private static void testWhatIsNotThereIsRefused() throws Exception {
		refused("an id", 404, 40403, "Schema 99999 not found", () -> client().getSchemaById(99999));
		refused("a subject", 404, 40401, "Subject 'none' not found.", () -> client().getLatestSchemaMetadata("none"));
		refused("a version", 404, 40402, "Version 9 not found.", () -> client().getSchemaMetadata("java-value", 9));
		refused("a schema", 404, 40403, "Schema not found", () -> client().getId("java-value", avro("\"bytes\"")));
		refused("another id", 422, 42205, "is not in import mode", () -> client().register("java-import", avro("\"bytes\""), 1, 500));
	}

	private static void testReferencesAreFollowed() throws Exception {
		String inner = "{\"type\":\"enum\",\"name\":\"java.Kind\",\"symbols\":[\"A\"]}";
		String outer = event(",{\"name\":\"kind\",\"type\":\"java.Kind\"}");
		List<SchemaReference> references = List.of(new SchemaReference("java.Kind", "java-kind", 1));
		int innerId = client().register("java-kind", avro(inner));
		int id = client().register("java-outer", new AvroSchema(outer, references, Map.of("java.Kind", inner), null));
		AvroSchema told = (AvroSchema) client().getSchemaById(id);

		same("references", told.references(), references);
		same("field", told.rawSchema().getField("kind").schema().getEnumSymbols(), List.of("A"));
		same("referenced by", new RestService(url).getReferencedBy("java-kind", 1), List.of(id));
		same("other id", innerId != id, true);
		refused("what is in use", 422, 42206, "One or more references exist", () -> client().deleteSubject("java-kind"));
	}

	private static void testCompatibilityIsAskedFor() throws Exception {
		client().register("java-compat", avro(event("")));
		same("compatible", client().testCompatibility("java-compat", avro(event(NOTE))), true);
		same("incompatible", client().testCompatibility("java-compat", avro(event(OTHER))), false);
		same("no reason", client().testCompatibilityVerbose("java-compat", avro(event(NOTE))), List.of());
		refused("an incompatible schema", 409, 409, "incompatible with an earlier schema",
				() -> client().register("java-compat", avro(event(OTHER))));
		// The client can compare, too; which of both is the new one it leaves to the registry to say.
		same("reason", client().testCompatibilityVerbose("java-compat", avro(event(OTHER))).get(0),
				String.format(avro(event(OTHER)).isBackwardCompatible(avro(event(""))).get(0), "new", "old"));
	}

	private static void testConfigurationAndModes() throws Exception {
		Config config = new Config();

		same("level", client().updateCompatibility("java-compat", "FULL"), "FULL");
		same("level told", client().getCompatibility("java-compat"), "FULL");
		config.setCompatibilityLevel("FORWARD");
		config.setCompatibilityGroup("major");
		config.setDefaultMetadata(new Metadata(null, Map.of("owner", "team"), null));
		same("config", client().updateConfig("java-config", config).getCompatibilityGroup(), "major");
		same("config told", client().getConfig("java-config"), config);
		client().deleteConfig("java-config");
		refused("a config that is gone", 404, 40408, "does not have subject-level compatibility", () -> client().getConfig("java-config"));
		same("global level", client().getCompatibility(null), "BACKWARD");
		same("mode", client().getMode(), "READWRITE");
		same("mode set", client().setMode("READONLY", "java-mode"), "READONLY");
		refused("a write", 422, 42205, "is in read-only mode", () -> client().register("java-mode", avro("\"int\"")));
		client().deleteMode("java-mode");
		refused("a mode that is gone", 404, 40409, "does not have subject-level mode", () -> client().getMode("java-mode"));
	}

	private static void testMetadataIsPartOfASchema() throws Exception {
		Metadata major = new Metadata(null, Map.of("major", "1"), null);
		int id = client().register("java-meta", avro(event("")).copy(major, null));

		same("other id", id != client().register("java-value", avro(event(""))), true);
		same("metadata", client().getSchemaById(id).metadata(), major);
		same("by metadata", client().getLatestWithMetadata("java-meta", Map.of("major", "1"), false).getId(), id);
	}

	private static void testImportsKeepIds() throws Exception {
		client().setMode("IMPORT", "java-import");
		same("id", client().register("java-import", avro("\"bytes\""), 7, 70000), 70000);
		same("version", client().getVersion("java-import", avro("\"bytes\"")), 7);
		client().deleteMode("java-import");
	}

	private static void testVersionsAndSubjectsAreDeleted() throws Exception {
		for (String text : List.of("\"int\"", "\"long\"", "\"double\""))
			client().register("java-gone", avro(text));
		same("version", client().deleteSchemaVersion("java-gone", "1"), 1);
		same("versions left", client().getAllVersions("java-gone"), List.of(2, 3));
		same("versions with those deleted", client().getAllVersions("java-gone", true), List.of(1, 2, 3));
		same("only those", new RestService(url).getDeletedOnlyVersions("java-gone"), List.of(1));
		same("version, for good", client().deleteSchemaVersion("java-gone", "1", true), 1);
		same("subject", client().deleteSubject("java-gone"), List.of(2, 3));
		same("subjects with those deleted", client().getAllSubjects(true).contains("java-gone"), true);
		same("subjects", client().getAllSubjects().contains("java-gone"), false);
		same("subject, for good", client().deleteSubject("java-gone", true), List.of(2, 3));
		refused("a subject that is gone", 404, 40401, "Subject 'java-gone' not found.", () -> client().getAllVersions("java-gone"));
	}

	private static void testTheRestOfItsRequests() throws Exception {
		RestService service = new RestService(url);
		Schema latest = service.getLatestVersion("java-value");

		same("types", service.getSchemaTypes(), List.of("AVRO"));
		same("text by id", service.getOnlySchemaById(latest.getId()), latest.getSchema());
		same("text by version", service.getVersionSchemaOnly("java-value", 1), latest.getSchema());
		same("newest text", service.getLatestVersionSchemaOnly("java-value"), latest.getSchema());
		same("look-up", service.lookUpSubjectVersion(event(""), "java-value").getVersion(), 1);
		same("version", service.getVersion("java-value", 1).getId(), latest.getId());
		same("highest id", service.getId(latest.getId(), null, true).getMaxId() >= 70000, true);
		same("contexts", service.getAllContexts().contains("."), true);
		same("group", service.getClusterId().getScope().toString().contains("schema-registry"), true);
		same("version of the registry", service.getSchemaRegistryServerVersion().getVersion().isEmpty(), false);
	}

	private static void testContextsKeepApart() throws Exception {
		SchemaRegistryClient inside = new CachedSchemaRegistryClient(url + "/contexts/.java", 100);
		int id = inside.register("here", avro(event(NOTE)));

		same("subjects", List.copyOf(inside.getAllSubjects()), List.of(":.java:here"));
		same("schema", inside.getSchemaById(id), avro(event(NOTE)));
		same("schema from outside", client().getSchemaBySubjectAndId(":.java:here", id), avro(event(NOTE)));
	}

	private static GenericRecord read(byte[] bytes) throws Exception {
		InputStream in = new ByteArrayInputStream(bytes);
		var schema = new ConfluentSchemaRegistryCoder(client()).readSchema(in);

		return new GenericDatumReader<GenericRecord>(schema).read(null, DecoderFactory.get().directBinaryDecoder(in, null));
	}

	private static byte[] written(String subject, GenericRecord value) throws Exception {
		ByteArrayOutputStream out = new ByteArrayOutputStream();
		BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(out, null);

		new ConfluentSchemaRegistryCoder(subject, client()).writeSchema(value.getSchema(), out);
		new GenericDatumWriter<GenericRecord>(value.getSchema()).write(value, encoder);
		encoder.flush();
		return out.toByteArray();
	}

	private static void testValuesAreShared() throws Exception {
		byte[] given = Files.readAllBytes(folder.resolve("python.avro"));
		GenericRecord value = new GenericData.Record(avro(Files.readString(folder.resolve("event.avsc"))).rawSchema());

		same("note", read(given).get("note").toString(), "by python");
		value.put("id", 5L);
		value.put("note", "by java");
		byte[] bytes = written("shared-value", value);
		same("id", List.of(bytes[1], bytes[2], bytes[3], bytes[4]), List.of(given[1], given[2], given[3], given[4]));
		same("what was written", read(bytes), value);
		Files.write(folder.resolve("java.avro"), bytes);
	}

	// ---- all of them ----

	private static int passed, failed;

	private static void run(String name, Test test) {
		try {
			test.run();
			passed++;
			System.out.println("ok " + name);
		} catch (Throwable error) {
			failed++;
			System.out.println("FAIL: " + name);
			error.printStackTrace(System.out);
		}
	}

	public static void main(String[] arguments) {
		url = arguments[0];
		folder = Path.of(arguments[1]);
		run("registers_and_finds", RegistryClient::testRegistersAndFinds);
		run("what_is_not_there_is_refused", RegistryClient::testWhatIsNotThereIsRefused);
		run("references_are_followed", RegistryClient::testReferencesAreFollowed);
		run("compatibility_is_asked_for", RegistryClient::testCompatibilityIsAskedFor);
		run("configuration_and_modes", RegistryClient::testConfigurationAndModes);
		run("metadata_is_part_of_a_schema", RegistryClient::testMetadataIsPartOfASchema);
		run("imports_keep_ids", RegistryClient::testImportsKeepIds);
		run("versions_and_subjects_are_deleted", RegistryClient::testVersionsAndSubjectsAreDeleted);
		run("the_rest_of_its_requests", RegistryClient::testTheRestOfItsRequests);
		run("contexts_keep_apart", RegistryClient::testContextsKeepApart);
		run("values_are_shared", RegistryClient::testValuesAreShared);
		System.out.println(passed + " passed, " + failed + " failed");
		System.exit(failed > 0 ? 1 : 0);
	}
}
