"""Word lists the features and the follow-up rules look up. One place, so that a language is added in one place.

Written for this project; each entry is a word or stem a person uses when handing over work of that kind.
Scripts without spaces are matched as substrings, the others as whole words.
"""

from __future__ import annotations

from typing import Final


def word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Verbs and nouns of work that needs many steps.
HARD: Final = word_set("""
prove proof derive derivation design architect architecture implement refactor optimise optimize debug diagnose analyse
analyze analysis evaluate critique rebut compare contrast investigate migrate migration plan strategy tradeoff tradeoffs
trade-off trade-offs propose reconstruct algorithm complexity theorem lemma induction formal model simulate estimate
rigorous rigorously justify verify vulnerability exploit concurrency distributed scalable schema pipeline benchmark
hypothesis hypotheses root-cause tests end-to-end comprehensive detailed thorough in-depth roadmap specification
beweise beweis herleite entwirf entwurf implementiere entwickle optimiere analysiere vergleiche bewerte migriere plane
konzept strategie begründe schritt untersuche
demuestra demostrar deduce diseña diseñar implementa desarrolla optimiza analiza compara evalúa migra planifica justifica depura
démontre démontrer prouve conçois concevoir implémente développe optimise analyse compare évalue planifie justifie
dimostra dimostrare deriva progetta implementa sviluppa ottimizza analizza confronta valuta pianifica giustifica
prove demonstre projete implemente desenvolva otimize analise compare avalie planeje planeie justifique
bewijs ontwerp implementeer ontwikkel optimaliseer analyseer vergelijk beoordeel plan
udowodnij zaprojektuj zaimplementuj opracuj zoptymalizuj przeanalizuj porównaj oceń zaplanuj uzasadnij
докажи докажите доказать выведи спроектируй спроектируйте реализуй реализуйте разработай разработайте оптимизируй
проанализируй проанализируйте сравни сравните оцени спланируй спланируйте обоснуй
доведи спроєктуй реалізуй розроби проаналізуй порівняй
kanıtla ispatla tasarla geliştir uygula optimize analiz karşılaştır değerlendir planla
buktikan rancang implementasikan kembangkan optimalkan analisis bandingkan evaluasi rencanakan
dokaž navrhni implementuj vyvin analyzuj porovnej naplánuj bevisa designa implementera utveckla analysera jämför planera
demonstrează proiectează implementează dezvoltă analizează compară planifică
أثبت برهن صمم صمّم نفذ طوّر حلل قارن قيّم خطط
הוכח תכנן עצב נתח השווה
साबित सिद्ध डिज़ाइन विश्लेषण तुलना योजना लागू
""")
HARD_STEMS: Final = (
    "证明", "證明", "设计", "設計", "推导", "实现", "實現", "分析", "比较", "比較", "优化", "優化", "方案", "架构", "规划", "権衡", "权衡",
    "証明", "導出", "実装", "最適化", "考察", "提案", "計画", "評価",
    "증명", "설계", "구현", "분석", "비교", "최적화", "제안", "계획", "평가",
    "พิสูจน์", "ออกแบบ", "วิเคราะห์", "เปรียบเทียบ", "วางแผน", "chứng minh", "thiết kế", "phân tích", "so sánh", "lập kế hoạch", "triển khai",
)  # fmt: skip

# Verbs of ordinary work: a page of text, a small function, an explanation.
ORDINARY: Final = word_set("""
write explain describe summarize summarise summary create generate make draft compose rewrite list suggest give recommend
outline discuss teach build develop code script function program recipe email letter story poem essay article blog post
overview difference differences examples steps ideas tips advice how why reply edit improve
schreibe schreib erkläre beschreibe erstelle verfasse formuliere nenne empfiehl rezept unterschied tipps wie warum
escribe explica describe resume redacta crea haz dame recomienda receta diferencia consejos cómo
écris explique décris résume rédige crée donne recommande recette différence conseils comment pourquoi
scrivi spiega descrivi riassumi crea suggerisci ricetta differenza consigli come perché
escreva explique descreva resuma crie redija sugira receita diferença dicas
schrijf leg uitleg beschrijf samenvat maak geef recept verschil tips
napisz wyjaśnij opisz streść stwórz podaj przepis różnica
напиши напишите объясни объясните опиши составь создай расскажи рецепт разница советы почему
напиши поясни опиши склади розкажи
yaz açıkla anlat özetle oluştur hazırla öner tarif fark nasıl neden
tulis jelaskan ringkas buat sarankan resep perbedaan bagaimana
napiš vysvětli popiš shrň vytvoř skriv förklara beskriv sammanfatta skapa scrie explică descrie rezumă
اكتب اشرح لخص صف أنشئ وصفة كيف لماذا
כתוב הסבר תאר סכם
लिखो लिखिए समझाइए समझाओ बताइए सारांश बनाओ कैसे
""")
ORDINARY_STEMS: Final = (
    "写", "寫", "解释", "解釋", "介绍", "介紹", "描述", "总结", "總結", "推荐", "为什么", "怎么", "如何", "区别",
    "書い", "説明", "教えて", "まとめ", "作っ", "レシピ", "違い", "なぜ", "作成",
    "써", "작성", "설명", "요약", "추천", "만들", "차이", "왜", "방법",
    "เขียน", "อธิบาย", "สรุป", "แนะนำ", "ทำไม", "viết", "giải thích", "tóm tắt", "mô tả", "gợi ý",
)  # fmt: skip

# One-step questions and look-ups.
LOOKUP: Final = word_set("""
who when where what's whats which capital convert translate translation define definition spell synonym antonym opposite
plural abbreviation meaning mean means stand stands currency population height age old born date day time weather typo
typos rhymes rhyme percent plus minus times divided spell currency year number many much far tall temperature timezone
remind set alarm timer play call flip roll
wer wann wo wieviel hauptstadt übersetze übersetz wetter uhr uhrzeit heißt bedeutet
quién cuándo dónde cuál cuánto cuántos cuántas capital traduce traducir significa hora clima moneda
qui quand où quel quelle combien capitale traduis traduire signifie heure météo monnaie
chi quando dove quale quanto quanti capitale traduci significa ore tempo moneta
quem quando onde qual quanto quantos capital traduza traduz significa horas moeda
wie wanneer waar welke hoeveel hoofdstad vertaal betekent weer
kto kiedy gdzie jaki jaka ile stolica przetłumacz znaczy pogoda godzina
кто когда где какой какая какое сколько столица переведи переведите значит погода время час
хто коли де який яка скільки столиця переклади
kim ne zaman nerede kaç hangi başkenti başkent çevir demek hava saat
siapa kapan mana berapa ibu kota terjemahkan artinya cuaca jam
kdo kdy kde kolik hlavní přelož vem när var hur huvudstad översätt cine când unde cât capitala tradu
من متى أين كم عاصمة ترجم معنى الطقس الساعة ما
מי מתי איפה כמה בירת תרגם
कौन कब कहाँ कितने कितना राजधानी अनुवाद मतलब मौसम समय क्या
""")
LOOKUP_STEMS: Final = (
    "谁", "誰", "什么时候", "哪里", "多少", "几点", "首都", "翻译", "翻譯", "意思", "天气", "是什么", "哪个",
    "いつ", "どこ", "いくつ", "何時", "天気", "翻訳", "意味", "何です", "訳し",
    "누구", "언제", "어디", "몇", "수도", "번역", "날씨", "뜻", "무엇", "뭐",
    "ใคร", "เมื่อไหร่", "ที่ไหน", "เท่าไหร่", "กี่", "เมืองหลวง", "แปล", "อากาศ", "ai là", "khi nào", "ở đâu", "bao nhiêu", "thủ đô", "dịch", "mấy giờ",
)  # fmt: skip

# Greetings, thanks, farewells, acknowledgements: nothing to do.
SOCIAL: Final = word_set("""
hi hello hey yo hiya howdy greetings morning evening afternoon night thanks thank thankyou thx ty cheers bye goodbye
cya later ok okay k kk cool great awesome nice perfect good wow lol haha yes no nope yeah yep sure maybe please welcome
sorry appreciate see you name joke hobbies pets robot bot human age
hallo moin servus danke dankeschön tschüss tschüs ja nein guten tag morgen abend prima toll super
hola buenas buenos días tardes noches gracias adiós hasta luego sí vale genial
bonjour salut bonsoir merci au revoir oui non d'accord parfait super
ciao buongiorno buonasera grazie arrivederci sì va bene perfetto
olá oi bom dia boa tarde noite obrigado obrigada tchau sim não beleza tudo bem
hoi dag goedemorgen dank bedankt doei nee prima
cześć dzień dobry dzięki dziękuję pa tak nie witaj hej
привет здравствуйте здравствуй спасибо пока да нет хорошо ладно добрый день дела
привіт дякую так ні добрий вітаю
merhaba selam teşekkürler teşekkür ederim sağol hoşça kal evet hayır günaydın nasılsın
halo hai terima kasih selamat pagi ya tidak apa kabar
ahoj dobrý den děkuji díky ano ne hej hallå tack nej salut bună mulțumesc da nu
مرحبا أهلا شكرا السلام عليكم نعم لا وداعا صباح الخير كيف حالك
שלום תודה כן לא להתראות בוקר טוב
नमस्ते धन्यवाद शुक्रिया हाँ नहीं अलविदा आप कैसे हैं ठीक
""")
SOCIAL_STEMS: Final = (
    "你好", "您好", "谢谢", "謝謝", "再见", "早上好", "晚安", "哈哈", "好的", "吗？", "こんにちは", "ありがと", "おはよう", "さようなら",
    "こんばんは", "元気", "はい", "안녕", "감사", "고마", "네", "잘 지내", "สวัสดี", "ขอบคุณ", "ลาก่อน", "xin chào", "cảm ơn", "tạm biệt", "chào",
)  # fmt: skip

# Subjects where even short questions are work.
TECHNICAL: Final = word_set("""
algorithm database postgres postgresql mysql sql kubernetes docker kafka redis async thread threads mutex deadlock
latency throughput transaction transactions consensus raft paxos sharding replication cache caching microservice
microservices api endpoint oauth encryption compiler parser regex pointer leak heap recursion neural network gradient regression bayesian probability variance distribution integral derivative matrix
eigenvalue vector polynomial prime modulo triangle equation inequality theorem
quantum thermodynamics entropy momentum enzyme molecular statistical regulatory contract liability tax accounting
typescript javascript python java rust golang c++ c# php kotlin swift scala haskell react vue angular django flask
spring terraform ansible aws azure gcp bash powershell vba matlab latex
cluster exception stacktrace
""")
CONSTRAINT: Final = word_set("""
must should without exactly least most only each every all given assume suppose ensure such that if then unless
constraint constraints budget requirements require including include using step steps show detail
muss ohne genau mindestens jeder jede falls inklusive einschließlich
debe sin exactamente menos cada incluyendo doit sans chaque incluant deve senza ogni incluso sem cada incluindo
должен без каждый включая
""")
# Words that stand for something said before. Left out where another language uses the same letters for something
# else (German "es", Polish "to", Romance articles).
ANAPHORA: Final = word_set("""
it that this those these them they its he she above previous same again else more another instead rest next second third
last first part one ones your you
das dies diese dieser ihn oben nochmal weiter rest teil
eso esto esta ese esa ello anterior otra resto parte
ça cela ceci celui celle précédent autre reste partie suite
questo quello ciò precedente altro resto parte
isso isto esse essa anterior outra resto parte
dit dat deze vorige rest deel
tego tym tamto poprzedni reszta część
это этого этот эта эту его её их то там предыдущий остальное часть дальше
це цього його її далі
bunu bu şunu şu onu öncekini kalan kısmı devam
itu ini tersebut bagian lanjut sisanya
tohle toto předchozí detta resten asta aceasta restul
هذا هذه ذلك تلك السابق الباقي
זה זאת את השאר
यह वह इसे उसे इसका बाकी
""")
ANAPHORA_STEMS: Final = (
    "它", "这", "這", "那", "上面", "刚才", "其余", "剩下", "继续", "再", "それ", "これ", "その", "この", "続き", "残り", "上記", "もう一",
    "그것", "그거", "이것", "이거", "그걸", "이걸", "계속", "나머지", "위의", "다시", "มัน", "นี้", "นั้น", "ต่อ", "nó", "cái đó", "tiếp", "phần còn lại",
)  # fmt: skip
