// Toolbox.java -- runs Kafka's command-line tools, one after the other, in one virtual machine.
//
// Each line of its input is a request, {"main": CLASS, "arguments": [...], "input": TEXT}: the class's main() is run as
// the shell scripts that come with Kafka run it, and one line tells what came of it,
// {"status": N, "out": TEXT, "err": TEXT}.  A virtual machine for each tool would take a second of two processors; here
// a tool takes what its work takes.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.utils.Exit;

import static java.nio.charset.StandardCharsets.UTF_8;

public class Toolbox {
	/** Goes to where the tool under way is to print; tools and their libraries keep System.out for good. */
	private static class Switch extends OutputStream {
		private ByteArrayOutputStream to = new ByteArrayOutputStream();

		@Override
		public void write(int b) {
			write(new byte[] {(byte) b}, 0, 1);
		}

		@Override
		public synchronized void write(byte[] bytes, int at, int length) {
			// A tool that has called exit() would say no more.
			if (status == null)
				to.write(bytes, at, length);
		}

		private synchronized String take() {
			String said = to.toString(UTF_8);
			to = new ByteArrayOutputStream();
			return said;
		}
	}

	/** In place of the end of the virtual machine. */
	private static class Ended extends Error {
	}

	private static final Switch out = new Switch();
	private static final Switch err = new Switch();
	private static final List<Runnable> hooks = new ArrayList<>();
	private static volatile Integer status;

	private static void end(int with) {
		// Some tools catch what is thrown here, complain of it, and end again.
		if (status == null)
			status = with;
		throw new Ended();
	}

	private static void run(JsonNode request) throws Exception {
		List<String> arguments = new ArrayList<>();
		request.get("arguments").forEach(argument -> arguments.add(argument.asText()));
		System.setIn(new ByteArrayInputStream(request.get("input").asText().getBytes(UTF_8)));
		try {
			Class.forName(request.get("main").asText()).getMethod("main", String[].class)
				.invoke(null, (Object) arguments.toArray(new String[0]));
		} catch (InvocationTargetException thrown) {
			if (!(thrown.getCause() instanceof Ended)) {
				thrown.getCause().printStackTrace();
				status = 1;
			}
		}
		int with = status == null ? 0 : status;
		status = null;
		hooks.forEach(Runnable::run);
		status = with;
	}

	public static void main(String[] arguments) throws Exception {
		PrintStream answers = System.out;
		BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, UTF_8));
		ObjectMapper json = new ObjectMapper();

		System.setOut(new PrintStream(out, true, UTF_8));
		System.setErr(new PrintStream(err, true, UTF_8));
		Exit.setExitProcedure((with, message) -> end(with));
		Exit.setHaltProcedure((with, message) -> end(with));
		Exit.setShutdownHookAdder((name, hook) -> hooks.add(hook));
		for (String line; (line = requests.readLine()) != null;) {
			status = null;
			hooks.clear();
			run(json.readTree(line));
			answers.println(json.writeValueAsString(
				Map.of("status", status, "out", out.take(), "err", err.take())));
			answers.flush();
		}
	}
}
