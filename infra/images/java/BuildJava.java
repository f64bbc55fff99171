import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.JavacTask;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.FileObject;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/**
 * BuildJava JAR: compiles Main.java and the other Java files of the working folder into a jar. It starts with the first
 * class of Main.java that has a main method, whatever its name and package. javac alone wants a public class in a file
 * of its name.
 */
final class BuildJava {
    private static final Path SCRIPT = Path.of("Main.java");

    public static void main(String[] arguments) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        Classes classes = new Classes(compiler.getStandardFileManager(null, null, null));
        List<Source> sources = sources();
        List<String> options = List.of("-g", "-proc:none", "-Xdiags:compact", "-encoding", "UTF-8");
        if (!compiler.getTask(null, classes, null, options, null, sources).call()) System.exit(1);
        // A task parses or compiles.
        JavacTask parser = (JavacTask) compiler.getTask(null, classes, null, options, null, sources.subList(0, 1));
        String main = mainClass(parser.parse().iterator().next());
        if (main == null) {
            System.err.println("error: Main.java has no class with a main method");
            System.exit(1);
        }
        write(Path.of(arguments[0]), main, classes.made);
    }

    /** The script is the first. */
    private static List<Source> sources() throws IOException {
        List<Source> sources = new ArrayList<>();
        sources.add(new Source(SCRIPT));
        try (Stream<Path> files = Files.walk(Path.of(""))) {
            files.filter(file -> file.toString().endsWith(".java") && Files.isRegularFile(file))
                .filter(file -> !file.equals(SCRIPT))
                .sorted()
                .forEach(file -> sources.add(new Source(file)));
        }
        return sources;
    }

    private static String mainClass(CompilationUnitTree unit) {
        String folder = unit.getPackageName() == null ? "" : unit.getPackageName() + ".";
        for (Tree type : unit.getTypeDecls())
            if (type instanceof ClassTree declared && declared.getMembers().stream().anyMatch(BuildJava::isMain))
                return folder + declared.getSimpleName();
        return null;
    }

    private static boolean isMain(Tree member) {
        return member instanceof MethodTree method
            && method.getName().contentEquals("main")
            && (method.getModifiers().getFlags().contains(Modifier.STATIC))
            && method.getParameters().size() == 1
            && method.getParameters().get(0).getType().toString().matches("(java[.]lang[.])?String(\\[\\]|[.]{3})");
    }

    private static void write(Path jar, String main, Map<String, byte[]> classes) throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, main);
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
            // Classes of a few kilobytes: packing them takes longer than reading them.
            out.setLevel(0);
            for (Map.Entry<String, byte[]> each : classes.entrySet()) {
                out.putNextEntry(new JarEntry(each.getKey().replace('.', '/') + ".class"));
                out.write(each.getValue());
                out.closeEntry();
            }
        }
    }

    /** A file in which a public class may have any name. */
    private static final class Source extends SimpleJavaFileObject {
        private final Path file;

        Source(Path file) {
            super(file.toUri(), Kind.SOURCE);
            this.file = file;
        }

        @Override
        public String getName() {
            return file.toString();
        }

        @Override
        public CharSequence getCharContent(boolean ignoresErrors) throws IOException {
            return Files.readString(file);
        }

        @Override
        public boolean isNameCompatible(String name, Kind kind) {
            return kind == Kind.SOURCE;
        }
    }

    /** Keeps the classes in memory. */
    private static final class Classes extends ForwardingJavaFileManager<JavaFileManager> {
        final Map<String, byte[]> made = new TreeMap<>();

        Classes(JavaFileManager manager) {
            super(manager);
        }

        @Override
        public JavaFileObject getJavaFileForOutput(
            Location to, String name, JavaFileObject.Kind kind, FileObject from) {
            return new SimpleJavaFileObject(URI.create("memory:///" + name), kind) {
                @Override
                public OutputStream openOutputStream() {
                    return new java.io.ByteArrayOutputStream() {
                        @Override
                        public void close() {
                            made.put(name, toByteArray());
                        }
                    };
                }
            };
        }
    }
}
